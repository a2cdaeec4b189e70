/// The reader of `[control]` of init.toml.

extension OpenTable {
    /// The whole table.
    func control() -> ControlSettings {
        var settings = ControlSettings()
        switch choice("mode") ?? "" {
        case "operators": settings.mode = .operators
        case "off": settings.mode = .off
        default: break
        }
        if case .array(let values)? = value("operators")?.kind {
            for value in values { if let found = oneOperator(value) { settings.operators.append(found) } }
        }
        if let text = text("http"), isNumericAddress(text) {
            settings.http = text
            settings.httpSpan = valueSpan("http")
        }
        if case .off = settings.mode, !settings.operators.isEmpty, let span = keySpan("operators") {
            reading.contradiction(
                "`operators` have nobody to ask where `mode` is \"off\"", at: span, beside: valueSpan("mode"),
                "there is no socket", help: "take one of the two out")
        }
        return settings
    }

    /// The name of a user, or a table.
    private func oneOperator(_ value: Value) -> Operator? {
        var found = Operator(span: value.span)
        switch value.kind {
        case .string, .integer: found.user = account("operators", value)
        case .table(let inner):
            let keys = OpenTable(inner, .oper, reading)
            if let user = keys.value("user") { found.user = account("user", user) }
            if let group = keys.value("group") { found.group = account("group", group) }
            for (text, span) in keys.strings("services") ?? [] where isPattern(text, span) {
                found.services.append(text)
            }
            if keys.keySpan("user") != nil && keys.keySpan("group") != nil {
                reading.contradiction(
                    "`group` cannot stand beside `user`", at: keys.valueSpan("group"), beside: keys.valueSpan("user"),
                    "an operator is one of the two", help: "make two operators of it")
                return nil
            }
            if keys.keySpan("user") == nil && keys.keySpan("group") == nil && keys.meant.isEmpty {
                reading.error(
                    "missing-key", "an operator needs a `user` or a `group`", at: value.span,
                    help: "write who it is, such as { user = \"admin\", services = [\"gateway@*\"] }")
            }
            if let span = keys.keySpan("services"), found.services.isEmpty {
                // None would mean all of them, which is more than was meant.
                reading.bad(
                    at: span, "`%` names no service", "services", help: "name some, or take `services` out for all")
                return nil
            }
        default: reportElement("operators", value, "a user or a table")
        }
        return found.user == nil && found.group == nil ? nil : found
    }

    /// A name or number without variables: who may ask must be known before anything has run.
    private func account(_ key: String, _ value: Value) -> String? {
        guard let template = reading.account(key, value) else { return nil }
        if let name = template.literal { return String(decoding: name, as: UTF8.self) }
        reading.bad(at: value.span, "`%` of an operator cannot hold variables", key, help: "write the name or number")
        return nil
    }

    private func isPattern(_ text: String, _ span: Span) -> Bool {
        var isGood = !text.isEmpty && text.utf8.count <= longestServiceName
        for byte in text.utf8 {
            let isAlphanumeric = (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
            isGood =
                isGood
                && (isAlphanumeric || byte == 0x2A || byte == 0x40 || (byte >= 0x2D && byte <= 0x2E) || byte == 0x5F)
        }
        if !isGood {
            reading.bad(
                at: span, "% cannot be the name of a service", shown(text),
                help: "write names of services, in which * stands for any text, such as \"gateway@*\"")
        }
        return isGood
    }

    /// An IPv4 address, or an IPv6 one in brackets, with a port; an error where it is none.
    private func isNumericAddress(_ text: String) -> Bool {
        let span = valueSpan("http")
        let example = "write an address and a port in numbers, such as \"127.0.0.1:9464\""
        switch AddressText.parse(text.bytes, isHTTP: false) {
        case .mistake(let why, _):
            reading.bad(at: span, "cannot read the address of `%`: %", "http", why, help: example)
            return false
        case .address(let address):
            var isNumeric = address.isIPv6
            if !isNumeric {
                var numbers = 0
                isNumeric = true
                for part in address.host.split(separator: 0x2E, omittingEmptySubsequences: false) {
                    guard case .number(let number) = ParsedNumber.count(String(decoding: part, as: UTF8.self)),
                        number <= 255
                    else {
                        isNumeric = false
                        break
                    }
                    numbers &+= 1
                }
                isNumeric = isNumeric && numbers == 4
            }
            if !isNumeric {
                reading.bad(at: span, "the host of `%` is not an address in numbers", "http", help: example)
                return false
            }
            if same(address.host[...], "0.0.0.0") || same(address.host[...], "::") {
                reading.warning(
                    "open-address", "whoever reaches the container can read its state at this address", at: span,
                    help: "use 127.0.0.1, unless the port is published to nobody else")
            }
            return true
        }
    }
}
