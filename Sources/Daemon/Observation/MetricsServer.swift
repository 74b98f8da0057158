import Files
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// The opt-in endpoint that scrapers ask: OpenMetrics text at `/metrics`, over HTTP, on a Unix socket or on loopback.
final class MetricsServer: Sendable {
    private let channel: any Channel
    private let socket: ListeningSocket?

    /// - Throws: ``Files/FileError`` or an error of the system where the endpoint cannot be made.
    init(_ endpoint: MetricsEndpoint, logger: Logger, text: @escaping @Sendable () -> String) async throws {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(MetricsHTTPHandler(text))
                    // A scraper asks and reads; one that does neither is not kept.
                    channel.eventLoop.scheduleTask(in: .seconds(30)) { channel.close(promise: nil) }
                }
            }
        switch endpoint {
        case .off: throw ServiceError(.invalidArgument, "the metrics endpoint is off")
        case .unix(let path):
            let socket = try ListeningSocket.bind(to: path)
            self.socket = socket
            channel = try await bootstrap.withBoundSocket(socket.descriptor).get()
            logger.notice("metrics at unix:\(path)")
        case .tcp(let host, let port):
            socket = nil
            do {
                channel = try await bootstrap.bind(host: host, port: port).get()
            } catch {
                throw ServiceError(.unavailable, "cannot serve metrics at \(host):\(port): \(error)")
            }
            logger.notice("metrics at http://\(host):\(channel.localAddress?.port ?? port)/metrics")
        }
    }

    /// The port that it got, where it is on loopback.
    var port: Int? { channel.localAddress?.port }

    func stop() async {
        socket?.removeFile()
        try? await channel.close().get()
    }
}

private final class MetricsHTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let text: @Sendable () -> String
    private var head: HTTPRequestHead?

    init(_ text: @escaping @Sendable () -> String) { self.text = text }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = head.uri.prefix { $0 != "?" }
        let isRead = head.method == .GET || head.method == .HEAD
        let (status, body): (HTTPResponseStatus, String) =
            path != "/metrics"
            ? (.notFound, "metrics are at /metrics\n")
            : isRead ? (.ok, text()) : (.methodNotAllowed, "metrics can only be read\n")
        var headers = HTTPHeaders()
        headers.add(
            name: "Content-Type",
            value: status == .ok
                ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; charset=utf-8")
        headers.add(name: "Content-Length", value: String(body.utf8.count))
        if status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: body)))), promise: nil)
        }
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !head.isKeepAlive { done.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
