import ConfigParser

/// The versions that the program gives. Changed by a release and by nothing else.
enum Version {
    /// Of hermes-init itself.
    static let number = "0.1.0"
    /// The tini whose command line and behaviour the program has under that name.
    static let tini = "0.19.0"
    /// The dumb-init whose command line and behaviour the program has under that name.
    static let dumbInit = "1.2.5"
    /// What `hermes-init --version` prints.
    static let line = say("hermes-init %", number)
}
