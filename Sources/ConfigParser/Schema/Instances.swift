/// Templates: files named `NAME@.toml` describe any number of services `NAME@INSTANCE` (systemd.unit(5) knows the same). What
/// stands in one is a service like any other, but for its name; which instances there are at boot is said by `[instances]`.

/// `[instances]` of a template.
public struct InstancePolicy: Sendable {
    /// `names`: instances that are always there.
    public var names: [Reference] = []
    /// `from`: a path with one `*` in one of its components; each match is an instance, named by what `*` matched.
    public var from: Template?
    /// `default`: whether an instance that nobody has yet asked up or down starts at boot.
    public var startsByDefault = true
    /// No instance but those that are asked for.
    public init() {}
}

/// A template, whole.
public struct ServiceTemplate: Sendable {
    /// What every instance is, under the template's own name ("gateway@"): a copy with another name is an instance.
    public var service: Service
    /// `[instances]`.
    public var instances = InstancePolicy()
    /// A template without instances.
    public init(service: Service) { self.service = service }

    /// The service that an instance is.
    /// - Parameter name: what stands behind the `@`; the caller has checked that it is a valid name.
    public func instance(_ name: String) -> Service {
        var instance = service
        instance.name = service.name + name
        if !instances.startsByDefault { instance.autostart = false }
        return instance
    }
}

extension Configuration {
    /// All that files describe: the services, and then the templates.
    @inline(never)
    public var described: [Service] {
        var all = services
        for place in templates.indices { all.append(templates[place].service) }
        return all
    }

    /// The names of the templates.
    @inline(never)
    public var templateNames: [String] {
        var names = [String]()
        for place in templates.indices { names.append(templates[place].service.name) }
        return names
    }
}

/// The name of a service taken apart: "gateway@writer" is ("gateway@", "writer"); nil where it is no instance of a template.
public func instanceName(_ name: String) -> (template: String, instance: String)? {
    let bytes = [UInt8](name.utf8)
    guard let at = bytes.firstIndex(of: 0x40), at &+ 1 < bytes.count else { return nil }
    return (String(decoding: bytes[...at], as: UTF8.self), String(decoding: bytes[(at &+ 1)...], as: UTF8.self))
}
