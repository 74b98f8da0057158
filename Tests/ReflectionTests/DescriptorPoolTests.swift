import Reflection
import Testing

@Suite("Descriptors that come at run time") struct DescriptorPoolTests {
    let pool: DescriptorPool
    init() throws { pool = try ReflectionFixtures.pool.get() }

    @Test("all services of the contract are there, in the order of the files")
    func services() {
        let names = pool.services.map(\.fullName)
        #expect(
            names.sorted() == [
                "auscult.v1.Audio", "auscult.v1.Daemon", "auscult.v1.Job", "auscult.v1.Live", "auscult.v1.Model",
                "auscult.v1.Plugin", "auscult.v1.Trace", "auscult.v1.Transcribe", "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection", "kinds.v1.Kinds",
            ])
        #expect(pool.missingFiles.isEmpty)
    }

    @Test("files may come in any order, and twice") func order() throws {
        let files = try ReflectionFixtures.files()
        let reversed = try DescriptorPool(files: files.reversed() + files)
        #expect(reversed.files == pool.files.reversed())
        #expect(reversed.messageNames == pool.messageNames)
        #expect(reversed.services.count == pool.services.count)
    }

    @Test("files that are imported and not there are named") func missing() throws {
        let files = try ReflectionFixtures.files()
        for file in files {
            let alone = try DescriptorPool(files: [file])
            for name in alone.missingFiles { #expect(pool.files.contains(name)) }
            if alone.files == ["auscult/v1/trace.proto"] {
                #expect(alone.missingFiles == ["auscult/v1/common.proto", "auscult/v1/intervene.proto"])
                let error = #expect(throws: ReflectionError.self) {
                    try MessageCodec(alone).encode(#"{"model": {"name": "x"}}"#, as: "TraceRequest")
                }
                #expect(error?.message.hasPrefix("model: the type auscult.v1.ModelRef is not among") == true)
            }
        }
    }

    @Test("streams are known") func streaming() throws {
        let kinds = try ["Model/List", "Trace/Run", "Audio/Upload", "Live/Listen"].map {
            let method = try pool.method($0)
            return [method.clientStreaming, method.serverStreaming]
        }
        #expect(kinds == [[false, false], [false, true], [true, false], [true, true]])
    }

    @Test(
        "a method is found by its path, by a short one, and with a point",
        arguments: ["auscult.v1.Model/List", "Model/List", "Model.List", "auscult.v1.Model.List", "v1.Model/List"])
    func method(name: String) throws { #expect(try pool.method(name).path == "auscult.v1.Model/List") }

    @Test(
        "a name that is none is refused with the likeliest ones",
        arguments: [
            ("Model/Lst", "auscult.v1.Model/List"), ("model/list", "auscult.v1.Model/List"),
            ("auscult.v1.Modle/List", "auscult.v1.Model/List"), ("Trace/RunToEdn", "auscult.v1.Trace/RunToEnd"),
            ("Transcribe", "auscult.v1.Transcribe/"),
        ])
    func suggestion(name: String, likely: String) {
        let error = #expect(throws: ReflectionError.self) { try pool.method(name) }
        #expect(error?.code == .notFound)
        #expect(error?.message.hasPrefix("the server has no method '\(name)'; did you mean ") == true)
        #expect(error?.message.contains(likely) == true, "\(error?.message ?? "")")
    }

    @Test(
        "a name that is like none is refused without a guess", arguments: ["", "/", ".", "Zq", "xyzzyxyzzyxyzzyxyzzy"])
    func noSuggestion(name: String) {
        let error = #expect(throws: ReflectionError.self) { try pool.method(name) }
        #expect(error?.message == "the server has no method '\(name)'")
    }

    @Test("a short name that several have is refused with all of them") func ambiguous() throws {
        var file = ProtoWriter()
        string(1, "other.proto", to: &file)
        string(2, "other", to: &file)
        var message = ProtoWriter()
        string(1, "Span", to: &message)
        file.tag(4, .lengthDelimited)
        file.lengthDelimited(message.bytes)
        var pool = pool
        try pool.add(file.bytes)
        #expect(try pool.message(named: "other.Span").fullName == "other.Span")
        let error = #expect(throws: ReflectionError.self) { try pool.message(named: "Span") }
        #expect(error?.message == "'Span' is the name of several: auscult.v1.Span, other.Span")

        var again = ProtoWriter()
        string(1, "again.proto", to: &again)
        string(2, "other", to: &again)
        again.tag(4, .lengthDelimited)
        again.lengthDelimited(message.bytes)
        let twice = #expect(throws: ReflectionError.self) { try pool.add(again.bytes) }
        #expect(twice?.message == "other.Span is declared twice, in other.proto and in again.proto")
    }

    private func string(_ number: Int, _ text: String, to writer: inout ProtoWriter) {
        writer.tag(number, .lengthDelimited)
        writer.lengthDelimited(text.utf8)
    }

    @Test("a file of an edition, a damaged one and one without a name are refused by name") func refused() throws {
        var edition = ProtoWriter()
        string(1, "new.proto", to: &edition)
        string(12, "editions", to: &edition)
        #expect(throws: ReflectionError(.unsupported, "new.proto is written in an edition; expected proto2 or proto3"))
        {
            try DescriptorPool(files: [edition.bytes])
        }
        var damaged = ProtoWriter()
        string(1, "damaged.proto", to: &damaged)
        damaged.tag(4, .lengthDelimited)
        damaged.varint(99)
        let error = #expect(throws: ReflectionError.self) { try DescriptorPool(files: [damaged.bytes]) }
        #expect(error?.message.hasPrefix("the file descriptor of damaged.proto cannot be read: ") == true)
        #expect(throws: ReflectionError.self) { try DescriptorPool(files: [[]]) }
    }

    @Test("proto2 has presence for all fields, packs where it is told, and its groups are refused") func proto2() throws
    {
        let codec = MessageCodec(pool)
        let bytes = try codec.encode(#"{"id": 0, "unpacked": [1, 2], "packed": [1, 2]}"#, as: "legacy.Old")
        #expect(try bytes == ReflectionFixtures.unhex("0800 1801 1802 22020102"))
        #expect(try codec.decode(bytes, as: "legacy.Old") == #"{"id":0,"unpacked":[1,2],"packed":[1,2]}"#)
        #expect(codec.refusal(of: #"{"part": {}}"#, as: "legacy.Old") == "part: is a group, which cannot be written")
    }

    // MARK: Printing

    @Test("a service is described in .proto syntax with its comments") func describeService() throws {
        #expect(
            try pool.describe(named: "kinds.v1.Kinds") == """
                // A service for
                // the printer.
                service Kinds {
                  // Both sides stream.
                  rpc Chat(stream Scalars) returns (stream Tree);
                  rpc Push(stream Scalars) returns (Tree);
                  rpc Get(Scalars) returns (Scalars);
                  // Behind it.
                }

                """)
    }

    @Test("a message is described with oneofs, maps and what is declared inside") func describeMessages() throws {
        #expect(
            try pool.describe(named: "Choices") == """
                message Choices {
                  optional int32 maybe = 1;
                  // One of them.
                  oneof choice {
                    // A number.
                    int32 number = 2;
                    string text = 3;
                    // A text.
                    Scalars scalars = 4;
                  }
                  optional string name = 5;
                  optional Colour colour = 6;
                }

                """)
        #expect(
            try pool.describe(named: "Maps") == """
                message Maps {
                  map<string, Scalars> by_name = 1;
                  map<int32, string> by_number = 2;
                  map<bool, Colour> by_flag = 3;
                  map<uint64, bytes> by_id = 4;
                }

                """)
        #expect(
            try pool.describe(named: "kinds.v1.Tree") == """
                message Tree {
                  message Leaf {
                    enum Shape {
                      ROUND = 0;
                      POINTED = 1;
                    }
                    Shape shape = 1;
                  }
                  string label = 1;
                  repeated Tree children = 2;
                  Leaf leaf = 3;
                  google.protobuf.Any extra = 4;
                }

                """)
        #expect(try pool.describe(named: "ListModelsRequest") == "message ListModelsRequest {}\n")
    }

    @Test("a method is described with its messages") func describeMethod() throws {
        let text = try pool.describe(named: "Audio/Discard")
        #expect(text.contains("rpc Discard(DiscardRequest) returns (Empty);\n"))
        #expect(text.contains("\nmessage DiscardRequest {\n  string upload_id = 1;\n}\n"))
        #expect(text.hasSuffix("\nmessage Empty {}\n"))
    }

    @Test("a description cannot steer the terminal") func control() throws {
        var message = ProtoWriter()
        string(1, "A\u{1B}[2J\u{9B}1m", to: &message)
        var file = ProtoWriter()
        string(1, "a.proto", to: &file)
        file.tag(4, .lengthDelimited)
        file.lengthDelimited(message.bytes)
        let pool = try DescriptorPool(files: [file.bytes])
        let name = try #require(pool.messageNames.first)
        #expect(try pool.describe(named: name) == "message A\u{FFFD}[2J\u{FFFD}1m {}\n")
    }

    @Test("everything in the contract can be described") func describeAll() throws {
        for name in pool.messageNames { #expect(try pool.describe(pool.message(named: name)).contains("message ")) }
        for service in pool.services {
            let text = pool.describe(service)
            for method in service.methods { #expect(text.contains("  rpc \(method.name)(")) }
        }
    }
}
