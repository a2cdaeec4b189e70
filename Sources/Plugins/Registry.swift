/// The stages that are built in.
public enum Registry {
    /// In the order in which they are listed to people.
    public static let plugins: [Plugin] = [
        UidRemap.plugin,
        Chown.plugin,
        Seed.plugin,
        TuiDetect.plugin,
        FindExecutable.plugin,
        Secrets.plugin,
        WaitFor.plugin,
        Notice.plugin,
    ]
}
