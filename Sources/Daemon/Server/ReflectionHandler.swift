import Messages
import Wire

/// gRPC's server reflection: gives the contract's descriptors away, so that generic tools can list and call what is there.
struct ReflectionHandler {
    let services: @Sendable () -> [String]

    var methods: [ServerMethod] {
        [
            Reflection.ServerReflectionRPC.serverReflectionInfo.handle { requests, answers, _ in
                for try await request in requests {
                    var answer = Reflection.ServerReflectionResponse(
                        validHost: request.host, originalRequest: request)
                    answer.messageResponse = response(to: request)
                    try await answers.send(answer)
                }
            }
        ]
    }

    private func response(
        to request: Reflection.ServerReflectionRequest
    ) -> Reflection.ServerReflectionResponse.MessageResponse {
        switch request.messageRequest {
        case .listServices?:
            return .listServicesResponse(
                Reflection.ListServiceResponse(service: services().map { Reflection.ServiceResponse(name: $0) }))
        case .fileByFilename(let name)?: return files(DescriptorFiles.contract.file(named: name), name)
        case .fileContainingSymbol(let name)?: return files(DescriptorFiles.contract.file(declaring: name), name)
        case .fileContainingExtension(let wanted)?:
            return notFound("there are no extensions of \(wanted.containingType)")
        case .allExtensionNumbersOfType(let name)?:
            guard DescriptorFiles.contract.file(declaring: name) != nil else { return notFound("there is no \(name)") }
            return .allExtensionNumbersResponse(Reflection.ExtensionNumberResponse(baseTypeName: name))
        case nil:
            return .errorResponse(
                Reflection.ErrorResponse(
                    errorCode: WireError.Code.invalidArgument.rawValue, errorMessage: "the request asks for nothing"))
        }
    }

    private func files(
        _ file: DescriptorFiles.File?, _ name: String
    ) -> Reflection.ServerReflectionResponse.MessageResponse {
        guard let file else { return notFound("there is no \(name)") }
        let bytes = DescriptorFiles.contract.withImports(of: file).map(\.bytes)
        return .fileDescriptorResponse(Reflection.FileDescriptorResponse(fileDescriptorProto: bytes))
    }

    private func notFound(_ message: String) -> Reflection.ServerReflectionResponse.MessageResponse {
        .errorResponse(
            Reflection.ErrorResponse(errorCode: WireError.Code.notFound.rawValue, errorMessage: message))
    }
}
