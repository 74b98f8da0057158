import HTTPTypes
import Hummingbird

/// What holds for every request, whatever it asks for.
///
/// - Only reading, GET and HEAD, where the page is not made to do more.
/// - Only under a name of this machine. A page from elsewhere can make a browser look its own name up as 127.0.0.1 (DNS
///   rebinding), and would then read the atlas as if it came from there; its requests still say that name.
/// - Only under the server's token: other users of this machine reach its ports too.
/// - Answers say what a browser may do with them: nothing but this server's own files runs or loads.
struct PageGuard<Context: RequestContext>: RouterMiddleware {
    let token: PageToken
    /// The last parts of paths that are sent something, by POST.
    var posts: Set<String> = []

    static var policy: String {
        "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        if !Self.isOfThisMachine(request.head.authority) {
            response = PageAnswer.failure(
                .forbidden, "this server answers under 127.0.0.1 and localhost only")
        } else if !token.opens(request.uri.path) {
            response = PageAnswer.failure(
                .forbidden,
                "this address has no token, or another server's; the command that serves it printed the whole address")
        } else if let allowed = refuses(request) {
            response = PageAnswer.failure(
                .methodNotAllowed, "this is no place for \(request.method.rawValue.prefix(20)); expected \(allowed)")
            response.headers[.allow] = allowed
        } else {
            do {
                response = try await next(request, context)
            } catch {
                response = PageAnswer.failure(error)
            }
        }
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        response.headers[.referrerPolicy] = "no-referrer"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }

    /// What would be allowed, where this is not.
    private func refuses(_ request: Request) -> String? {
        if posts.contains(String(request.uri.path.split(separator: "/").last ?? "")) {
            return request.method == .post ? nil : "POST"
        }
        return request.method == .get || request.method == .head ? nil : "GET, HEAD"
    }

    /// Any port: an SSH tunnel ends at another one.
    static func isOfThisMachine(_ authority: String?) -> Bool {
        guard let authority else { return false }
        for name in ["127.0.0.1", "localhost", "[::1]"] where authority.lowercased().hasPrefix(name) {
            let rest = authority.dropFirst(name.count)
            if rest.isEmpty { return true }
            let port = rest.dropFirst()
            if rest.first == ":", (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (48...57).contains($0) }) {
                return true
            }
        }
        return false
    }
}

extension HTTPField.Name {
    static var referrerPolicy: HTTPField.Name { .init("Referrer-Policy")! }
    static var crossOriginResourcePolicy: HTTPField.Name { .init("Cross-Origin-Resource-Policy")! }
}
