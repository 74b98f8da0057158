import Atlas
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Responses of the page's server.
enum PageAnswer {
    static func bytes(_ bytes: some Sequence<UInt8>, _ type: String, _ status: HTTPResponse.Status = .ok) -> Response {
        let buffer = ByteBuffer(bytes: bytes)
        return Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: buffer))
    }

    static func json(_ data: Data, _ status: HTTPResponse.Status = .ok) -> Response {
        bytes(data, "application/json; charset=utf-8", status)
    }

    /// A file or the part of it that is asked for.
    static func file(_ file: [UInt8], _ type: String, range: String?) -> Response {
        var response: Response
        switch ByteRange(range, size: file.count) {
        case .whole: response = bytes(file, type)
        case .part(let part):
            response = bytes(file[part], type, .partialContent)
            response.headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.count)"
        case .unsatisfiable:
            response = failure(.rangeNotSatisfiable, "the file has \(file.count) bytes; the range begins behind them")
            response.headers[.contentRange] = "bytes */\(file.count)"
        }
        response.headers[.acceptRanges] = "bytes"
        return response
    }

    /// `{"error": …}`, as all failures are reported.
    static func failure(_ status: HTTPResponse.Status, _ message: String) -> Response {
        let body = (try? JSONEncoder().encode(["error": message])) ?? Data()
        return json(body, status)
    }

    static func failure(_ error: any Error) -> Response {
        switch error {
        case let error as AtlasError:
            switch error.code {
            case .invalidArgument: failure(.badRequest, error.message)
            case .notFound: failure(.notFound, error.message)
            case .unavailable: failure(.serviceUnavailable, error.message)
            default: failure(.internalServerError, error.message)
            }
        case let error as LivePageFailure: failure(.badRequest, error.message)
        case let error as PageSoundFailure: failure(error.isMissing ? .notFound : .badGateway, error.message)
        case let error as HTTPError where error.status == .notFound:
            failure(.notFound, "there is nothing at this address")
        case let error as HTTPError: failure(error.status, error.body ?? error.status.reasonPhrase)
        default: failure(.internalServerError, "\(error)")
        }
    }
}

/// A sound that could not be made.
public struct PageSoundFailure: Error, Sendable, CustomStringConvertible {
    public var message: String
    /// The recording's file is not there any more.
    public var isMissing: Bool

    public init(_ message: String, isMissing: Bool) { (self.message, self.isMissing) = (message, isMissing) }

    public var description: String { message }
}
