import Reflection
import StrictJSON
import Testing

@Suite("JSON and protobuf bytes") struct MessageCodecTests {
    let codec: MessageCodec
    init() throws { codec = try ReflectionFixtures.codec() }

    @Test("the fixtures are there") func present() throws {
        #expect(ReflectionFixtures.cases.count == 10)
        // Every message but Any, which is written in a form of its own, and those of the tests' own files.
        let names = codec.pool.messageNames.filter {
            !$0.hasPrefix("kinds.") && !$0.hasPrefix("legacy.") && $0 != "google.protobuf.Any"
        }
        #expect(Set(ReflectionFixtures.contract.map(\.message)) == Set(names))
        #expect(names.count > 100)
    }

    @Test(
        "bytes of protoc become the JSON that they should, and that JSON the same bytes",
        arguments: ReflectionFixtures.cases)
    func golden(example: ReflectionFixtures.Case) throws {
        let json = try #require(example.json)
        #expect(try codec.decode(example.bytes, as: example.message) == json.compactText)
        #expect(try codec.encode(json, as: codec.pool.message(named: example.message)) == example.bytes)
    }

    @Test("every message of the contract, with all fields set, survives JSON", arguments: ReflectionFixtures.contract)
    func contract(example: ReflectionFixtures.Case) throws {
        for (protoNames, withDefaults) in [(false, false), (true, false), (false, true), (true, true)] {
            let codec = try ReflectionFixtures.codec {
                $0.usesProtoNames = protoNames
                $0.withDefaults = withDefaults
            }
            let text = try codec.decode(example.bytes, as: example.message)
            #expect(try codec.encode(text, as: example.message) == example.bytes, "\(text)")
        }
    }

    @Test("the contract's examples leave no field out") func coverage() throws {
        var seen: [String: Set<String>] = [:]
        for example in ReflectionFixtures.contract {
            let message = try codec.pool.message(named: example.message)
            guard case .object(let members) = try codec.decode(example.bytes, as: message) else { continue }
            seen[message.fullName, default: []].formUnion(members.map(\.0))
        }
        for (name, members) in seen {
            #expect(members == Set(try codec.pool.message(named: name).fields.map(\.jsonName)), "\(name)")
        }
    }

    @Test("names of the .proto file are read, and written where they are asked for") func names() throws {
        let bytes = try codec.encode(#"{"plugin_id": "a", "deadlineMs": 5}"#, as: "RunPluginRequest")
        #expect(try codec.decode(bytes, as: "RunPluginRequest") == #"{"pluginId":"a","deadlineMs":"5"}"#)
        let plain = try ReflectionFixtures.codec { $0.usesProtoNames = true }
        #expect(try plain.decode(bytes, as: "RunPluginRequest") == #"{"plugin_id":"a","deadline_ms":"5"}"#)
    }

    @Test("defaults are written where they are asked for, but for fields that tell absence") func defaults() throws {
        let all = try ReflectionFixtures.codec { $0.withDefaults = true }
        #expect(
            try all.decode([], as: "kinds.v1.Scalars")
                == #"{"double":0.0,"float":0.0,"int64":"0","uint64":"0","int32":0,"#
                + #""fixed64":"0","fixed32":0,"bool":false,"string":"","bytes":"","uint32":0,"#
                + #""colour":"COLOUR_UNSPECIFIED","sfixed32":0,"sfixed64":"0","sint32":0,"sint64":"0"}"#)
        #expect(try all.decode([], as: "Choices") == "{}")
        #expect(try all.decode([], as: "Maps") == #"{"byName":{},"byNumber":{},"byFlag":{},"byId":{}}"#)
        #expect(try all.decode([], as: "kinds.v1.Tree") == #"{"label":"","children":[]}"#)
    }

    @Test(
        "forms that are read besides the one that is written",
        arguments: [
            (#"{"int32": "12"}"#, #"{"int32":12}"#), (#"{"int32": 12.0}"#, #"{"int32":12}"#),
            (#"{"int32": 1e2}"#, #"{"int32":100}"#), (#"{"int64": -5}"#, #"{"int64":"-5"}"#),
            (#"{"uint64": 18446744073709551615}"#, #"{"uint64":"18446744073709551615"}"#),
            (#"{"fixed64": "18446744073709551615"}"#, #"{"fixed64":"18446744073709551615"}"#),
            (#"{"double": 1}"#, #"{"double":1.0}"#), (#"{"double": "2.5"}"#, #"{"double":2.5}"#),
            (#"{"double": "-Infinity"}"#, #"{"double":"-Infinity"}"#), (#"{"float": 3}"#, #"{"float":3.0}"#),
            (#"{"float": "NaN"}"#, #"{"float":"NaN"}"#), (#"{"bytes": "_-8"}"#, #"{"bytes":"/+8="}"#),
            (#"{"bytes": "_-8="}"#, #"{"bytes":"/+8="}"#), (#"{"bytes": "AA"}"#, #"{"bytes":"AA=="}"#),
            (#"{"colour": "RED"}"#, #"{"colour":"RED"}"#), (#"{"colour": 1}"#, #"{"colour":"RED"}"#),
            (#"{"colour": 99}"#, #"{"colour":99}"#), (#"{"colour": -2}"#, #"{"colour":"BLUE"}"#),
            (#"{"int32": null, "bytes": null}"#, "{}"), (#"{"int32": 0, "string": "", "bool": false}"#, "{}"),
            (#"{"string": "\u0000"}"#, #"{"string":"\u0000"}"#),
        ])
    func forms(input: String, output: String) throws {
        #expect(try codec.roundTrip(input, as: "kinds.v1.Scalars") == output)
    }

    @Test(
        "a value that does not fit is refused with what was expected and what came",
        arguments: [
            (#"{"int32": 2147483648}"#, "int32: expected an int32 (-2147483648 to 2147483647), found 2147483648"),
            (#"{"int32": 1.5}"#, "int32: expected an int32 (-2147483648 to 2147483647), found 1.5"),
            (#"{"uint32": -1}"#, "uint32: expected a uint32 (0 to 4294967295), found -1"),
            (#"{"uint64": "-1"}"#, "uint64: expected a uint64 (0 to 18446744073709551615), found \"-1\""),
            (
                #"{"uint64": 18446744073709551616}"#,
                "uint64: expected a uint64 (0 to 18446744073709551615), found 1.84"
            ),
            (
                #"{"int64": "12x"}"#,
                "int64: expected an int64 (-9223372036854775808 to 9223372036854775807), found \"12x\""
            ),
            (#"{"int64": 18446744073709551615}"#, "int64: expected an int64"),
            (#"{"int64": ""}"#, "int64: expected an int64"),
            (#"{"int64": "+1"}"#, "int64: expected an int64"), (#"{"int32": true}"#, "int32: expected an int32"),
            (#"{"double": "nan"}"#, "double: expected a double, \"NaN\", \"Infinity\" or \"-Infinity\", found \"nan\""),
            (#"{"double": "0x10"}"#, "double: expected a double"), (#"{"double": []}"#, "found a list"),
            (#"{"float": 1e39}"#, "float: expected a float of at most ±3.4028235e38, found 1e+39"),
            (#"{"bool": 1}"#, "bool: expected true or false, found 1"),
            (#"{"string": 1}"#, "string: expected a string, found 1"),
            (#"{"bytes": "A"}"#, "bytes: expected bytes in base64, found \"A\""), (#"{"bytes": "A A="}"#, "in base64"),
            (#"{"bytes": "AA="}"#, "in base64"), (#"{"bytes": "===="}"#, "in base64"),
            (#"{"bytes": "A=A="}"#, "in base64"),
            (#"{"bytes": 5}"#, "in base64"),
            (#"{"colour": "REDD"}"#, "colour: kinds.v1.Colour has no value \"REDD\"; did you mean RED?"),
            (#"{"colour": "x"}"#, "kinds.v1.Colour has no value \"x\"; it has COLOUR_UNSPECIFIED, RED, BLUE"),
            (#"{"colour": 2147483648}"#, "expected a name or number of kinds.v1.Colour, found 2147483648"),
            (#"{"int32": {}}"#, "found an object"), ("[]", "expected an object for kinds.v1.Scalars, found a list"),
            ("3", "found 3"),
            (#"{"strin": ""}"#, "strin: kinds.v1.Scalars has no such field; did you mean string"),
        ])
    func refusal(text: String, problem: String) {
        let refusal = codec.refusal(of: text, as: "kinds.v1.Scalars")
        #expect(refusal?.contains(problem) == true, "\(refusal ?? "accepted")")
    }

    @Test(
        "an error names the path of the field",
        arguments: [
            (
                "TraceRequest", #"{"audio": {"span": {"strat": 1}}}"#,
                "audio.span.strat: auscult.v1.Span has no such field; did you mean start?"
            ),
            (
                "TraceRequest", #"{"interventions": [{}, {"add": {"value": {"tensor": {"shape": [1, "x"]}}}}]}"#,
                "interventions[1].add.value.tensor.shape[1]: expected a uint64 (0 to 18446744073709551615), found \"x\""
            ),
            ("TraceRequest", #"{"hooks": [null]}"#, "hooks[0]: expected a string, found null"),
            ("TraceRequest", #"{"hooks": "a"}"#, "hooks: expected a list, found \"a\""),
            (
                "TraceRequest", #"{"deadlineMs": 1, "deadline_ms": 2}"#,
                "auscult.v1.TraceRequest: deadlineMs and deadline_ms are one field, which is given twice"
            ),
            (
                "AudioSource", #"{"path": "a", "clip": "b"}"#,
                "auscult.v1.AudioSource: path and clip exclude each other: only one member of 'source' may be set"
            ),
            ("Empty", #"{"x": 1}"#, "x: auscult.v1.Empty has no such field; it has none"),
            ("Maps", #"{"byName": {"k": {"int32": "q"}}}"#, "byName.k.int32: expected an int32"),
            ("Maps", #"{"byNumber": {"k": "q"}}"#, "byNumber.k: expected an int32"),
            ("Maps", #"{"byFlag": {"yes": "RED"}}"#, "byFlag.yes: expected true or false"),
            ("Maps", #"{"byNumber": {"1": null}}"#, "byNumber.1: expected a string, found null"),
            ("Maps", #"{"byNumber": []}"#, "byNumber: expected an object with the entries of a map, found a list"),
        ])
    func paths(message: String, text: String, problem: String) {
        let refusal = codec.refusal(of: text, as: message)
        #expect(refusal?.hasPrefix(problem) == true, "\(refusal ?? "accepted")")
    }

    @Test("null leaves a member of a oneof unset") func nullInOneof() throws {
        #expect(try codec.roundTrip(#"{"path": null, "clip": "b"}"#, as: "AudioSource") == #"{"clip":"b"}"#)
    }

    @Test(
        "bytes that are not as they are written are read as protobuf has it",
        arguments: [
            // Packed where unpacked is declared, and the other way round, and both in one message.
            ("Lists", "1a020305", #"{"unpacked":[3,5]}"#), ("Lists", "1001 1002", #"{"sints":["-1","1"]}"#),
            ("Lists", "1001 12020203 1000", #"{"sints":["-1","1","-2","0"]}"#), ("Lists", "1200", "{}"),
            // Unknown fields of every wire type.
            ("kinds.v1.Scalars", "f80601 2801 f106 0102030405060708 fa0602ffff fd0601020304", #"{"int32":1}"#),
            // The last value counts; messages are merged; the last member of a oneof counts.
            ("kinds.v1.Scalars", "2801 2802", #"{"int32":2}"#), ("kinds.v1.Scalars", "2801 2800", "{}"),
            ("kinds.v1.Choices", "22022801 22026805", #"{"scalars":{"int32":1,"uint32":5}}"#),
            ("kinds.v1.Choices", "22022801 1005 22026805", #"{"scalars":{"uint32":5}}"#),
            ("kinds.v1.Choices", "1005 1a0161", #"{"text":"a"}"#),
            // Entries of a map without a key, without a value, and of one key.
            ("Maps", "1200 0a00", #"{"byName":{"":{}},"byNumber":{"0":""}}"#),
            ("Maps", "1205080112016112050801120162", #"{"byNumber":{"1":"b"}}"#),
            ("Maps", "1a00", #"{"byFlag":{"false":"COLOUR_UNSPECIFIED"}}"#),
            // 32-bit numbers are cut from the 64 bits of their varint.
            ("kinds.v1.Scalars", "28ffffffff0f", #"{"int32":-1}"#),
            ("kinds.v1.Scalars", "6881808080f0ffffff01", #"{"uint32":1}"#),
            ("kinds.v1.Scalars", "4002", #"{"bool":true}"#),
        ])
    func leniency(message: String, hex: String, expected: String) throws {
        #expect(try codec.decode(ReflectionFixtures.unhex(hex), as: message) == expected)
    }

    @Test(
        "bytes that are no message of their type are refused with the path of the field",
        arguments: [
            ("TraceRequest", "120432020980", "audio.span.start: not a protobuf message"),
            ("kinds.v1.Scalars", "2a00", "int32: expected a varint for int32, found bytes with a length"),
            ("kinds.v1.Scalars", "4a01ff", "string: a string that is not UTF-8"),
            ("kinds.v1.Scalars", "4801", "string: expected bytes with a length for string, found a varint"),
            ("Lists", "0a020102", "doubles: not a protobuf message: the end in the middle of a field at byte 0"),
            ("Lists", "2201ff", "strings[0]: a string that is not UTF-8"),
            ("kinds.v1.Scalars", "33", "kinds.v1.Scalars: "),
            ("Maps", "1203 1201ff", "by_number.value: a string that is not UTF-8"),
        ])
    func damage(message: String, hex: String, problem: String) throws {
        let bytes = try ReflectionFixtures.unhex(hex)
        let error = #expect(throws: ReflectionError.self) { try codec.decode(bytes, as: message) }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.hasPrefix(problem) == true, "\(error?.message ?? "")")
    }

    @Test("nesting has a bound in both directions") func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"children":["#, count: levels - 1) + "{}" + String(repeating: "]}", count: levels - 1)
        }
        #expect(try codec.roundTrip(nested(64), as: "kinds.v1.Tree") == nested(64))
        // The text of one more would be too deep for the JSON parser already.
        let deeper = JSON.object([("children", .array([try JSON(parsing: nested(64))]))])
        let refusal = #expect(throws: ReflectionError.self) {
            try codec.encode(deeper, as: codec.pool.message(named: "kinds.v1.Tree"))
        }
        #expect(refusal?.code == .invalidArgument)
        #expect(refusal?.message.hasSuffix("messages are nested deeper than 64 levels") == true)
        var bytes: [UInt8] = []
        for _ in 0..<1000 {
            var writer = ProtoWriter()
            writer.tag(2, .lengthDelimited)
            writer.lengthDelimited(bytes)
            bytes = writer.bytes
        }
        let error = #expect(throws: ReflectionError.self) { try codec.decode(bytes, as: "kinds.v1.Tree") }
        #expect(error?.message.hasSuffix("messages are nested deeper than 64 levels") == true)
    }

    @Test("one message in a million pieces is merged in linear time") func merging() throws {
        var writer = ProtoWriter()
        for _ in 0..<1_000_000 {
            writer.tag(4, .lengthDelimited)
            writer.lengthDelimited([0x28, 0x07])
        }
        #expect(try codec.decode(writer.bytes, as: "kinds.v1.Choices") == #"{"scalars":{"int32":7}}"#)
    }

    @Test("keys of a map are one only where their bytes are") func composedKeys() throws {
        let text = "{\"byName\":{\"\u{E9}\":{},\"e\u{301}\":{}}}"
        #expect(Array(try codec.roundTrip(text, as: "Maps").utf8) == Array(text.utf8))
    }

    // MARK: Any

    @Test(
        "Any is written out where its type is known, and in base64 where it is not",
        arguments: [
            "{}", #"{"@type":"type.googleapis.com/auscult.v1.ErrorDetail","reason":"not_found"}"#,
            #"{"@type":"type.googleapis.com/auscult.v1.Empty"}"#, #"{"@type":"example.org/x.Y","value":"AQI="}"#,
            #"{"@type":"","value":"AQI="}"#,
            #"{"@type":"x/google.protobuf.Any","value":{"@type":"x/auscult.v1.JobRef","id":"j"}}"#,
        ])
    func any(text: String) throws {
        let text = #"{"code":5,"details":[\#(text)]}"#
        #expect(try codec.roundTrip(text, as: "google.rpc.Status") == text)
    }

    @Test(
        "an Any that does not say what it is is refused",
        arguments: [
            (#"{"reason": "x"}"#, "details[0]: expected a member \"@type\""),
            (#"{"@type": 5}"#, "details[0]: expected a member"),
            (
                #"{"@type": "a/auscult.v1.ErrorDetail", "resaon": ""}"#,
                "details[0].resaon: auscult.v1.ErrorDetail has no such field; did you mean reason?"
            ),
            (#"{"@type": "a/b.C", "x": 1}"#, "details[0].x: the server does not describe the type a/b.C"),
            (#"{"@type": "a/b.C", "value": "?"}"#, "details[0].value: expected bytes in base64"),
        ])
    func anyRefusal(text: String, problem: String) {
        let refusal = codec.refusal(of: #"{"details": [\#(text)]}"#, as: "google.rpc.Status")
        #expect(refusal?.hasPrefix(problem) == true, "\(refusal ?? "accepted")")
    }
}
