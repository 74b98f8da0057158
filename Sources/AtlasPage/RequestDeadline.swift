import NIOCore

/// Closes connections that ask nothing: a client that opens one and never finishes its request would keep it for good.
///
/// It sits behind the decoder, so what it reads is a request whose head has come, however slowly its bytes came.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny
    typealias OutboundIn = NIOAny
    typealias OutboundOut = NIOAny

    struct Patience: Sendable {
        /// From the connection to the end of the first request's head.
        var request = TimeAmount.seconds(10)
        /// From an answer to the next request's.
        var next = TimeAmount.seconds(60)
    }

    private let patience: Patience
    private var timer: Scheduled<Void>?

    init(_ patience: Patience) { self.patience = patience }

    func channelActive(context: ChannelHandlerContext) {
        wait(patience.request, context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive, timer == nil { wait(patience.request, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // How long the answer takes is not the client's doing.
        timer?.cancel()
        context.fireChannelRead(data)
    }

    func flush(context: ChannelHandlerContext) {
        wait(patience.next, context)
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func wait(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
