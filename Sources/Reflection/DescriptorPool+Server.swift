import Client
import Messages
import Wire

extension DescriptorPool {
    /// Everything that the daemon says about its services.
    /// - Throws: ``ReflectionError`` for descriptors that make no sense; what the call throws.
    package init(from daemon: DaemonConnection) async throws {
        self.init()
        let call = try await daemon.client.open(Reflection.ServerReflectionRPC.serverReflectionInfo)
        var answers = call.answers.makeAsyncIterator()
        func ask(
            _ request: Reflection.ServerReflectionRequest.MessageRequest
        ) async throws -> Reflection.ServerReflectionResponse.MessageResponse? {
            try await call.send(Reflection.ServerReflectionRequest(messageRequest: request))
            let answer = try await answers.next()?.messageResponse
            guard case .errorResponse(let error)? = answer else { return answer }
            throw WireError(WireError.Code(rawValue: error.errorCode), error.errorMessage)
        }
        guard case .listServicesResponse(let list)? = try await ask(.listServices("*")) else {
            throw WireError(.internal, "the daemon did not list its services when it was asked to")
        }
        for service in list.service {
            guard case .fileDescriptorResponse(let response)? = try await ask(.fileContainingSymbol(service.name))
            else { throw WireError(.internal, "the daemon did not describe its service \(service.name)") }
            for file in response.fileDescriptorProto { try add(file) }
        }
        try await call.finish()
    }
}
