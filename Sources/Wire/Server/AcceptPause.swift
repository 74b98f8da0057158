import Foundation
import Logging
import NIOCore

/// Takes no connections for a moment where the system has no descriptor for them, and says so.
///
/// A listening socket whose connections nobody takes stays readable: asking again at once would keep a core busy for as long as it lasts.
/// Those who connect meanwhile wait in the system's queue.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    static let pause = TimeAmount.milliseconds(250)
    /// How often it is said while it lasts.
    private static let reminder = TimeAmount.seconds(30)

    private let logger: Logger
    private var isPaused = false
    private var lastSaid: NIODeadline?

    init(_ logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        say(error)
        guard !isPaused else { return }
        isPaused = true
        // Not only not asked: while it is waited for, it would be found ready again and again.
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenComplete { _ in }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            me.value.isPaused = false
            channel.setOption(.autoRead, value: true).whenComplete { _ in }
        }
    }

    private func say(_ error: IOError) {
        let now = NIODeadline.now()
        if let lastSaid, now < lastSaid + Self.reminder { return }
        lastSaid = now
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        logger.warning(
            "no connection can be accepted for now; new ones wait: \(String(cString: strerror(error.errnoCode))) (at most \(limit.rlim_cur) open files)"
        )
    }
}
