import Logging
import Messages
import Testing

import Wire

@Suite("Server") struct ServerTests {
    @Test("an echo comes back")
    func echo() async throws {
        let server = try await TestServer([
            V1.ModelRPC.info.handle { request, _ in V1.ModelInfo(name: request.name) }
        ])
        let client = try await server.connect()
        let answer = try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "tiny"))
        #expect(answer.name == "tiny")
        await client.close()
        await server.stop()
    }
}
