/// What the JSON Schema says in fixed words: contradictions between keys, and the kinds of values. JSONSchema.swift puts
/// them together with what it makes from the tables of keys.

/// Contradictions between keys of one file.
let partRules = #"""
    {"not": {"required": ["command", "script"]}},
        {"not": {"required": ["command", "plugin"]}},
        {"not": {"required": ["script", "plugin"]}},
        {
          "not": {
            "properties": {"optional": {"const": true}, "essential": {"const": true}},
            "required": ["optional", "essential"]
          }
        }
    """#

/// What holds for a whole file only, where a key that is not there has its default.
let wholeRules = #"""
    {
          "if": {"properties": {"type": {"const": "main"}}, "required": ["type"]},
          "then": {"properties": {"autostart": {"const": true}, "remember": {"const": false}, "instances": false}},
          "else": {"properties": {"route": false}}
        },
        {
          "if": {"properties": {"type": {"enum": ["longrun", "oneshot"]}}},
          "then": {"anyOf": [{"required": ["command"]}, {"required": ["script"]}, {"required": ["plugin"]}]}
        },
        {
          "if": {"properties": {"type": {"const": "oneshot"}}, "anyOf": [{"required": ["type"]}, {"required": ["plugin"]}]},
          "then": {
            "properties": {
              "restart": {"properties": {"policy": {"enum": ["on-failure", "never"]}}},
              "ready": false,
              "health": false,
              "reload": false
            }
          }
        },
        {
          "if": {"required": ["plugin"]},
          "then": {"properties": {"type": {"const": "oneshot"}}},
          "else": {"properties": {"options": false}}
        }
    """#

/// The kinds of values. The first % is the pattern of a signal, the second the list of actions.
let fixedDefinitions = #"""
    {
        "line": {"type": "string", "pattern": "^[^\\n\\u0000]*$"},
        "script": {"type": "string", "pattern": "[^ \\t-\\r]"},
        "template": {"type": "string", "not": {"pattern": "(^|[^$])[$]\\{([^A-Za-z_]|$)|\\u0000"}},
        "path": {"$ref": "#/$defs/template", "minLength": 1},
        "paths": {"anyOf": [{"$ref": "#/$defs/path"}, {"type": "array", "items": {"$ref": "#/$defs/path"}}]},
        "part": {"$ref": "#/$defs/line", "minLength": 1},
        "size": {
          "description": "a number of bytes, or \"64K\", \"1MiB\"",
          "type": ["integer", "string"],
          "pattern": "^[0-9]+([KMGT](iB)?)?$"
        },
        "byteLimit": {
          "type": ["integer", "string"],
          "minimum": 0,
          "pattern": "^(unlimited|[0-9]+([KMGT](iB)?)?)(:(unlimited|[0-9]+([KMGT](iB)?)?))?$"
        },
        "countLimit": {
          "type": ["integer", "string"],
          "minimum": 0,
          "pattern": "^(unlimited|[0-9]+)(:(unlimited|[0-9]+))?$"
        },
        "timeLimit": {
          "type": ["integer", "string"],
          "minimum": 0,
          "pattern": "^(unlimited|[0-9dhms]+)(:(unlimited|[0-9dhms]+))?$"
        },
        "byteAmount": {"anyOf": [{"const": "max"}, {"$ref": "#/$defs/size", "minimum": 4096}]},
        "countAmount": {"anyOf": [{"const": "max"}, {"type": "integer", "minimum": 1}]},
        "processors": {"anyOf": [{"const": "max"}, {"type": "number", "minimum": 0.01, "maximum": 10000}]},
        "capabilities": {
          "type": "array",
          "items": {"type": "string", "pattern": "^([Cc][Aa][Pp]_)?[A-Za-z_]+$", "not": {"pattern": "^[Aa][Ll][Ll]$"}}
        },
        "notify": {"anyOf": [{"const": "systemd"}, {"type": "integer", "minimum": 3, "maximum": 1023}]},
        "files": {"type": "array", "items": {"$ref": "#/$defs/path", "not": {"const": "-"}}},
        "command": {
          "type": "array",
          "items": {"$ref": "#/$defs/template"},
          "minItems": 1,
          "prefixItems": [{"$ref": "#/$defs/path"}]
        },
        "duration": {
          "description": "\"500ms\", \"10s\", \"1m30s\", \"2h\", or a number of seconds",
          "type": ["string", "number"],
          "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
          "minLength": 1,
          "minimum": 0,
          "maximum": 3155760000
        },
        "time": {"$ref": "#/$defs/duration", "pattern": "[1-9]", "exclusiveMinimum": 0},
        "names": {
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9._-]*(@[a-z0-9][a-z0-9._-]*)?$",
            "maxLength": 64
          }
        },
        "patterns": {
          "type": "array",
          "items": {"type": "string", "pattern": "^[a-z0-9._@*-]+$", "maxLength": 64},
          "minItems": 1
        },
        "variable": {"type": "string", "pattern": "^[^=\\u0000]+$"},
        "variables": {
          "anyOf": [{"$ref": "#/$defs/variable"}, {"type": "array", "items": {"$ref": "#/$defs/variable"}}]
        },
        "environment": {
          "type": "object",
          "propertyNames": {"$ref": "#/$defs/variable"},
          "additionalProperties": {"anyOf": [{"$ref": "#/$defs/template"}, {"type": ["integer", "boolean"]}]}
        },
        "equals": {
          "type": "object",
          "propertyNames": {"$ref": "#/$defs/variable"},
          "additionalProperties": {"type": ["string", "integer"]}
        },
        "options": {"type": "object"},
        "account": {
          "anyOf": [
            {"$ref": "#/$defs/path", "not": {"pattern": "^[^$]*:"}},
            {"type": "integer", "minimum": 0, "maximum": 4294967294}
          ]
        },
        "accounts": {"type": "array", "items": {"$ref": "#/$defs/account"}},
        "fileMode": {"type": ["string", "integer"], "pattern": "^0*[0-7]{1,4}$", "minimum": 0, "maximum": 4095},
        "modes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/fileMode"}},
        "mode": {"type": ["string", "integer"], "pattern": "^0*[0-7]{1,3}$", "minimum": 0, "maximum": 511},
        "signal": {"type": "string", "pattern": "^(0?[1-9]|[1-5][0-9]|6[0-4]|%)$"},
        "stopSignal": {
          "anyOf": [{"$ref": "#/$defs/signal"}, {"type": "integer", "minimum": 1, "maximum": 64}],
          "not": {"enum": ["SIGSTOP", "SIGCONT", "STOP", "CONT", 18, 19]}
        },
        "signals": {
          "type": "object",
          "propertyNames": {"$ref": "#/$defs/signal", "not": {"enum": ["SIGKILL", "SIGSTOP", "SIGCHLD"]}},
          "additionalProperties": {"anyOf": [{"enum": [%]}, {"$ref": "#/$defs/signal"}]}
        },
        "ends": {
          "type": "array",
          "items": {
            "anyOf": [
              {"type": "integer", "minimum": 0, "maximum": 255},
              {"$ref": "#/$defs/signal", "not": {"pattern": "^[0-9]"}}
            ]
          }
        },
        "words": {
          "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 1}, "minItems": 1}
          ]
        }
      }
    """#
