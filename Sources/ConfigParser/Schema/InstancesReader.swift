/// The reader of what makes a template: `[instances]`, `remember`, and `autostart` as a table. Which instances there are is
/// not known here: the folder of `from` is looked at where the services are made.

extension Reading {
    /// `autostart`, `remember` and `[instances]`.
    func readInstances(_ keys: OpenTable, _ service: inout ServiceFields) {
        service.autostart = keys.boolean("autostart") ?? true
        service.autostartWhen = keys.open("autostart")?.conditions() ?? []
        service.remember = keys.boolean("remember") ?? false
        let isTemplate = service.isTemplate
        if isTemplate && service.type == .main {
            contradiction(
                "a template cannot be the main program", at: keys.valueSpan("type"),
                help: "take `type` out, or give the file a name without @")
        }
        guard let own = keys.open("instances") else { return }
        if !isTemplate {
            return contradiction(
                say("only a template can have [instances], and % is none", service.name), at: own.keysSpan(keys),
                help: say("name the file %@.toml, or take [instances] out", service.name))
        }
        instances.names = own.references("names", of: service.name, isInstance: true)
        instances.from = own.pattern("from")
        // An optional would be compared by the rules of Unicode, which the file has no room for.
        instances.startsByDefault = (own.choice("default") ?? "up") != "down"
        if let remembers = own.boolean("remember") {
            if let span = keys.keySpan("remember"), remembers != service.remember {
                contradiction(
                    "`remember` is said twice, and not the same", at: own.valueSpan("remember"), beside: span,
                    "here for the whole template", help: "keep one of them")
            }
            service.remember = remembers
        }
        if let span = own.keySpan("default"), let other = keys.keySpan("autostart"),
            instances.startsByDefault != service.autostart
        {
            contradiction(
                say(
                    "`default` = \"%\" contradicts `autostart`", instances.startsByDefault ? "up" : "down"), at: span,
                beside: other, "said here for every instance",
                help: "keep one of the two: both say whether an instance starts at boot")
        }
    }
}

extension OpenTable {
    /// Where the line of this table stands in the table around it.
    fileprivate func keysSpan(_ outer: OpenTable) -> Span { outer.keySpan("instances") ?? table.span }

    /// A path with one `*`.
    fileprivate func pattern(_ key: String) -> Template? {
        guard let template = absolutePath(key) else { return nil }
        var stars = 0
        for part in template.parts {
            if case .literal(let bytes) = part { for byte in bytes where byte == 0x2A { stars &+= 1 } }
        }
        var all = 0
        for byte in template.withDefaults where byte == 0x2A { all &+= 1 }
        if stars == 1 && all == 1 { return template }
        let example = "\"/srv/sites/*/site.conf\""
        if all > 1 {
            reading.bad(
                at: template.span, "`%` has more than one `*`", key,
                help: say("keep the one that stands for the name of an instance, as in %", example))
        } else if all == 1 {
            reading.bad(
                at: template.span, "the `*` of `%` cannot stand in the default of a variable", key,
                help: say("write it outside of the ${…}, as in %", example))
        } else {
            reading.bad(
                at: template.span, "`%` has no `*`, so it would name no instance", key,
                help: say("write a * where the name of an instance stands, as in %", example))
        }
        return nil
    }
}

extension ServiceFields {
    /// It is a template, not a service that can run: its name ends in `@`.
    var isTemplate: Bool { name.utf8.last == 0x40 }
}

extension Service {
    /// It is a template, not a service that can run: its name ends in `@`.
    public var isTemplate: Bool { name.utf8.last == 0x40 }
}
