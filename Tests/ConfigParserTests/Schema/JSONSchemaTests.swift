/// The JSON Schema has what the tables have. What it accepts and refuses is tested with a validator of JSON Schema in
/// Tests/Integration/test_schema.py.

import Foundation
import Testing

@testable import ConfigParser

@Suite("The JSON Schema")
struct JSONSchemaTests {
    static func schema(_ subject: SchemaSubject) throws -> [String: Any] {
        let plugin = OptionTable(
            plugin: "chown",
            keys: [Key("owner", .account, required: true, "whose"), Key("trees", .templates, default: "[]", "what")])
        let text = jsonSchema(of: subject, plugins: [plugin])
        #expect(text.hasSuffix("}\n"))
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    static func properties(_ table: Any?) throws -> [String: [String: Any]] {
        try #require((table as? [String: Any])?["properties"] as? [String: [String: Any]])
    }

    @Test(
        "Every key of the tables is in it, and no other",
        arguments: [(SchemaSubject.service, KeyTable.service), (.dropIn, .service), (.settings, .settings)])
    func keys(subject: SchemaSubject, table: KeyTable) throws {
        func compare(_ table: KeyTable, _ properties: [String: [String: Any]]) throws {
            #expect(Set(properties.keys) == Set(table.keys.map(\.name)))
            for key in table.keys {
                #expect(properties[key.name]?["description"] as? String == key.summary)
                #expect((properties[key.name]?["default"] == nil) == key.fallback.isEmpty)
                if case .table(let inner) = key.kind {
                    try compare(inner, JSONSchemaTests.properties(properties[key.name]))
                }
            }
        }
        try compare(table, JSONSchemaTests.properties(JSONSchemaTests.schema(subject)))
    }

    @Test("A range and the words of a choice are those of the table")
    func values() throws {
        let service = try JSONSchemaTests.properties(JSONSchemaTests.schema(.service))
        #expect(service["type"]?["enum"] as? [String] == ["longrun", "oneshot", "main", "group"])
        let plugins = try #require(service["plugin"]?["anyOf"] as? [[String: Any]])
        #expect(plugins.first?["enum"] as? [String] == ["chown"])
        let restart = try JSONSchemaTests.properties(service["restart"])
        #expect(restart["limit"]?["minimum"] as? Int == 1 && restart["limit"]?["maximum"] as? Int == 10_000)
        #expect(restart["jitter"]?["default"] as? Double == 0.1)
    }

    @Test("A drop-in has to have nothing")
    func dropIn() throws {
        let rules = try #require(try JSONSchemaTests.schema(.dropIn)["allOf"] as? [[String: Any]])
        for rule in rules {
            let then = rule["then"] as? [String: Any]
            #expect(then?["required"] == nil && then?["anyOf"] == nil)
        }
    }
}
