import Foundation
import Messages
import Testing
import Wire

/// What a connection survives. After each fault the next call on the same connection must work.
@Suite("Faulty frames") struct FrameFaultTests {
    @Test("a request may come a byte at a time")
    func oneByteAtATime() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            for byte in RawFrame.echo(1, "slow").bytes { try await raw.send([byte]) }
            #expect(try await raw.frame()?.echoed == "slow")
        }
    }

    @Test("a connection that breaks off inside a frame harms no other", arguments: [1, 9, 10, 15])
    func truncated(count: Int) async throws {
        try await TestServer().run { server in
            let other = try await server.connect()
            let raw = try server.rawConnection()
            try await raw.send(Array(RawFrame.echo(1, "half").bytes.prefix(count)))
            raw.cut()
            #expect(try await raw.frame() == nil)
            #expect(try await other.call(V1.ModelRPC.info, V1.ModelRef(name: "whole")).name == "whole")
        }
    }

    @Test("an oversized request is discarded and answered on its id, and the connection lives")
    func oversizedRequest() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            let length = (4 << 20) + 1
            try await raw.send(RawFrame.header(length: UInt32(length), stream: 1, kind: 1))
            let refusal = try #require(try await raw.frame())
            #expect(refusal.stream == 1)
            #expect(refusal.code == .resourceExhausted)
            #expect(refusal.response?.status?.message.contains("\(length) bytes") == true)
            try await raw.send([UInt8](repeating: 0xFF, count: length))
            try await raw.send(.echo(3, "next"))
            #expect(try await raw.frame()?.echoed == "next")
            // Its id is used up, as if it had been read.
            try await raw.send(.echo(1, "again"))
            #expect(try await raw.frame()?.code == .invalidArgument)
        }
    }

    @Test("an oversized message ends its call")
    func oversizedData() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Audio", "Upload", flags: 2))
            try await raw.send(RawFrame.header(length: 5 << 20, stream: 1, kind: 3))
            #expect(try await raw.frame()?.code == .resourceExhausted)
            try await raw.send([UInt8](repeating: 0, count: 5 << 20))
            // What is still on its way for the call is passed over.
            try await raw.send(.data(1, [0x12, 0x00]), .echo(3, "next"))
            #expect(try await raw.frame()?.echoed == "next")
        }
    }

    @Test("frames of unknown types are passed over, with any flags", arguments: [UInt8(0), 2, 4, 77, 255])
    func unknownType(kind: UInt8) async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            let unknown = RawFrame(stream: 1, kind: kind, flags: 0xFF, data: [1, 2, 3])
            try await raw.send(unknown, .echo(1, "after"))
            #expect(try await raw.frame()?.echoed == "after")
        }
    }

    @Test("even, repeated, falling and zero ids are refused on that id, and the connection lives")
    func streamIDs() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            for (id, code) in [
                (7, WireError.Code.ok), (8, .invalidArgument), (7, .invalidArgument), (5, .invalidArgument),
                (0, .invalidArgument), (9, .ok), (UInt32.max, .ok), (UInt32.max, .invalidArgument),
                (11, .invalidArgument),
            ] {
                try await raw.send(.echo(id, "x"))
                let answer = try #require(try await raw.frame())
                #expect(answer.stream == id)
                #expect(answer.code == code, "stream \(id)")
            }
        }
    }

    @Test("data on a stream that never was is refused, data of a call that has ended is passed over")
    func dataWithoutACall() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(.data(5, [1]))
            let refusal = try #require(try await raw.frame())
            #expect((refusal.stream, refusal.code) == (5, .invalidArgument))
            try await raw.send(.echo(7, "x"))
            #expect(try await raw.frame()?.echoed == "x")
            try await raw.send(.data(7, [1]), .end(7), .echo(9, "y"))
            #expect(try await raw.frame()?.echoed == "y")
        }
    }

    @Test("data after the client has closed its side ends the call with an error")
    func dataAfterTheEnd() async throws {
        let server = try await TestServer([
            Reflection.ServerReflectionRPC.serverReflectionInfo.handle {
                (_: RequestStream<Reflection.ServerReflectionRequest>, _, _) in
                try await Task.sleep(for: .seconds(3600))
            }
        ])
        try await server.run { server in
            let raw = try server.rawConnection()
            let service = "grpc.reflection.v1.ServerReflection"
            try await raw.send(.request(1, service, "ServerReflectionInfo", flags: 2), .end(1), .data(1, [0x0A, 0x00]))
            #expect(try await raw.frame()?.code == .invalidArgument)
        }
    }

    @Test("a frame that closes must be empty, and ends the call where it is not")
    func closingPayload() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(
                .request(1, "auscult.v1.Audio", "Upload", flags: 2), .data(1, [0x12, 0x01, 0xFF], flags: 1))
            let refusal = try #require(try await raw.frame())
            #expect(refusal.code == .invalidArgument)
            #expect(refusal.response?.status?.message.contains("must be empty") == true)
            try await raw.send(.echo(3, "next"))
            #expect(try await raw.frame()?.echoed == "next")
        }
    }

    @Test("unknown services and methods are UNIMPLEMENTED by name")
    func unknownNames() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            for (service, method, message) in [
                ("no.Service", "Info", "there is no service no.Service"),
                ("auscult.v1.Model", "Nothing", "the service auscult.v1.Model has no method Nothing"),
                ("", "", "there is no service "),
            ] {
                let error = await #expect(throws: WireError.self) { try await client.unary(service, method, []) }
                #expect(error?.code == .unimplemented)
                #expect(error?.message == message)
            }
        }
    }

    @Test("an error that quotes a name of megabytes is cut, also where the name is one character")
    func longNames() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            for name in [String(repeating: "n", count: 3 << 20), "e" + String(repeating: "\u{301}", count: 1 << 20)] {
                let error = await #expect(throws: WireError.self) { try await client.unary(name, "M", []) }
                #expect(error?.code == .unimplemented)
                #expect((error?.message.utf8.count ?? 0) <= 8192 + 3)
            }
        }
    }

    @Test(
        "a request that is no message is INVALID_ARGUMENT, and says where",
        arguments: [
            ([0x0A, 0x7F, 0x61], "has a field of 127 bytes, of which 1 are there"),
            ([0x0A], "breaks off in a number"),
            ([0x0F, 0x00], "has wire type 7"),
            ([0x00, 0x00], "has the field number 0"),
            ([0x08, 0x01], "ttrpc.Request.service has wire type 0, expected 2"),
            ([0x20] + [UInt8](repeating: 0xFF, count: 10), "has a number of more than 64 bits"),
        ] as [([UInt8], String)])
    func malformedRequest(bytes: [UInt8], message: String) async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(RawFrame(stream: 1, kind: 1, data: bytes), .echo(3, "next"))
            let refusal = try #require(try await raw.frame())
            #expect((refusal.stream, refusal.code) == (1, .invalidArgument))
            #expect(refusal.response?.status?.message.contains(message) == true)
            #expect(try await raw.frame()?.echoed == "next")
        }
    }

    @Test(
        "text that is not UTF-8 or has a NUL in it is refused by its field's name",
        arguments: [
            ([0x0A, 0x02, 0xC3, 0x28], "auscult.v1.ModelRef.name is not UTF-8"),
            ([0x0A, 0x03, 0x61, 0x00, 0x62], "auscult.v1.ModelRef.name has a NUL character in it"),
            ([0x12, 0x01, 0xFF], "auscult.v1.ModelRef.vocabulary is not UTF-8"),
        ] as [([UInt8], String)])
    func text(payload: [UInt8], message: String) async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            let error = await #expect(throws: WireError.self) {
                try await client.unary("auscult.v1.Model", "Info", payload)
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message == message)
            let raw = try server.rawConnection()
            try await raw.send(RawFrame(stream: 1, kind: 1, data: [0x0A, 0x01, 0xFF]))
            #expect(try await raw.frame()?.response?.status?.message == "ttrpc.Request.service is not UTF-8")
        }
    }

    @Test("4 MiB of unknown fields are refused before they fill the memory, and the connection lives")
    func unknownFields() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            // Field 15, varint 0: two bytes each.
            let fields = [UInt8](unsafeUninitializedCapacity: 4 << 20) { buffer, count in
                for i in 0..<4 << 20 { buffer[i] = i % 2 == 0 ? 0x78 : 0x00 }
                count = 4 << 20
            }
            try await raw.send(RawFrame(stream: 1, kind: 1, data: fields), .echo(3, "next"))
            let refusal = try #require(try await raw.frame())
            #expect((refusal.stream, refusal.code) == (1, .resourceExhausted))
            #expect(try await raw.frame()?.echoed == "next")
        }
    }

    @Test("a server stream of a method that takes one message cannot be opened for more")
    func openForOneMessage() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Model", "Info", flags: 2), .echo(3, "next"))
            #expect(try await raw.frame()?.code == .invalidArgument)
            #expect(try await raw.frame()?.echoed == "next")
        }
    }
}
