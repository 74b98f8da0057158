import Messages
import Wire

/// A message of a stream whose first one says by which id the stream can be cancelled.
package protocol StreamEvent: ProtoMessage {
    /// Of the first message only.
    var subscription: String? { get }
}

extension V1.TranscribeEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.TraceEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.PullModelEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.JobEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.PluginEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.ValidatePluginEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension DaemonConnection {
    /// Runs a call that is answered with a stream, and hands each message but the first to `take`.
    ///
    /// Where the task is cancelled or `take` throws, the daemon is told to stop, and has a second to put away what it
    /// has begun.
    package func events<Request, Event: StreamEvent>(
        _ rpc: RPC<Request, Event>, _ request: Request, _ take: (Event) async throws -> Void
    ) async throws {
        let stream = try await client.stream(rpc, request)
        var subscription: String?
        do {
            for try await event in stream {
                if let id = event.subscription { subscription = id } else { try await take(event) }
            }
        } catch let error as WireError {
            throw error
        } catch {
            await giveUp(stream, subscription)
            throw error
        }
    }

    /// Cancels a stream and reads it to its end, which comes when the daemon has dropped what was not complete.
    private func giveUp<Event: StreamEvent>(_ stream: AnswerStream<Event>, _ known: String?) async {
        let work = Task.detached { [client] in
            var events = stream.makeAsyncIterator()
            var subscription = known
            if subscription == nil { subscription = try await events.next()?.subscription }
            guard let subscription else { return }
            _ = try await client.call(V1.DaemonRPC.cancel, V1.CancelRequest(subscriptionId: subscription))
            while try await events.next() != nil {}
        }
        let limit = Task.detached {
            try await Task.sleep(for: .seconds(1))
            work.cancel()
        }
        _ = await work.result
        limit.cancel()
    }
}
