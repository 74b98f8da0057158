import Foundation
import Messages
import Synchronization
import Testing
import Wire

/// Sleeps until it is cancelled, and tells so.
private final class Sleeper: Sendable {
    let began = Signal()
    let wasCancelled = Signal()

    func sleep() async throws {
        began.set()
        do { try await Task.sleep(for: .seconds(3600)) } catch {
            wasCancelled.set()
            throw error
        }
    }

    /// On a busy machine a deadline may pass before the method's first line.
    func wasCancelledIfItBegan() async { if began.isSet { await wasCancelled.wait() } }

    var unary: ServerMethod {
        V1.ModelRPC.info.handle { [self] _, _ in
            try await sleep()
            return V1.ModelInfo()
        }
    }

    /// Says its subscription id, and sleeps.
    var subscription: ServerMethod {
        V1.ModelRPC.pull.handle { [self] (_: V1.PullModelRequest, answers, context) in
            try await answers.send(
                V1.PullModelEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
            try await sleep()
        }
    }
}

@Suite("Cancellation and deadlines", .timeLimit(.minutes(2))) struct CancellationTests {
    @Test("the tasks of a client that vanishes are cancelled")
    func vanishedClient() async throws {
        let sleepers = (Sleeper(), Sleeper(), Sleeper())
        let server = try await TestServer([
            sleepers.0.unary, sleepers.1.subscription,
            V1.AudioRPC.upload.collect { requests, _ in
                sleepers.2.began.set()
                do { for try await _ in requests {} } catch {
                    sleepers.2.wasCancelled.set()
                    throw error
                }
                return V1.UploadedAudio()
            },
        ])
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(
                .echo(1, ""), .request(3, "auscult.v1.Model", "Pull", flags: 1),
                .request(5, "auscult.v1.Audio", "Upload", flags: 2))
            for sleeper in [sleepers.0, sleepers.1, sleepers.2] { await sleeper.began.wait() }
            raw.cut()
            for sleeper in [sleepers.0, sleepers.1, sleepers.2] { await sleeper.wasCancelled.wait() }
            try await eventually { server.server.connectionCount == 0 }
            #expect(server.server.calls.isEmpty)
        }
    }

    @Test("a connection and its calls leave nothing behind")
    func nothingIsKept() async throws {
        final class Witness: Sendable {}
        let witness = Mutex<[() -> Witness?]>([])
        let server = try await TestServer([
            V1.ModelRPC.pull.handle { (_: V1.PullModelRequest, answers, _) in
                let kept = Witness()
                witness.withLock { $0.append({ [weak kept] in kept }) }
                try await answers.send(V1.PullModelEvent())
                try await Task.sleep(for: .seconds(3600))
                withExtendedLifetime(kept) {}
            }
        ])
        try await server.run { server in
            for _ in 0..<8 {
                let client = try await server.connect()
                var answers = try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest()).makeAsyncIterator()
                _ = try await answers.next()
                await client.close()
            }
            try await eventually { server.server.connectionCount == 0 }
            try await eventually { witness.withLock { $0.count == 8 && $0.allSatisfy { $0() == nil } } }
        }
    }

    @Test("a stream is cancelled by its subscription id, from any connection, and ends with CANCELLED")
    func cancelByID() async throws {
        let sleeper = Sleeper()
        let server = try await TestServer([sleeper.subscription])
        try await server.run { server in
            let client = try await server.connect()
            var answers = try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest()).makeAsyncIterator()
            guard case .started(let started)? = try await answers.next()?.event else {
                Issue.record("the stream did not begin with its id")
                return
            }
            #expect(server.server.calls.map(\.subscriptionID) == [started.subscriptionId])
            #expect(!server.server.cancel(subscription: started.subscriptionId + "0"))
            #expect(server.server.cancel(subscription: started.subscriptionId))
            let error = await #expect(throws: WireError.self) { try await answers.next() }
            #expect(error?.code == .cancelled)
            await sleeper.wasCancelled.wait()
            #expect(!server.server.cancel(subscription: started.subscriptionId))
        }
    }

    @Test("a client's task that is cancelled stops waiting")
    func cancelledClient() async throws {
        let sleeper = Sleeper()
        try await TestServer([sleeper.unary]).run { server in
            let client = try await server.connect()
            let call = Task { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
            await sleeper.began.wait()
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            // The server still works for it: ttRPC has no way to tell. Closing the connection does.
            #expect(!sleeper.wasCancelled.isSet)
            await client.close()
            await sleeper.wasCancelled.wait()
        }
    }

    @Test("a unary call's timeout is kept by the server")
    func unaryTimeout() async throws {
        let sleeper = Sleeper()
        try await TestServer([sleeper.unary]).run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Model", "Info", timeoutNano: 20_000_000))
            #expect(try await raw.frame()?.code == .deadlineExceeded)
            await sleeper.wasCancelledIfItBegan()
            // One that has passed already, and the longest there is.
            try await raw.send(.request(3, "auscult.v1.Model", "Info", timeoutNano: -1))
            #expect(try await raw.frame()?.code == .deadlineExceeded)
            try await raw.send(.request(5, "auscult.v1.Model", "Info", timeoutNano: .max))
            try await eventually { server.server.calls.count == 1 }
            raw.cut()
        }
    }

    @Test("a unary call's timeout is kept by the client where the server does not answer")
    func clientTimeout() async throws {
        let server = try await HandWrittenServer()
        async let accepted = server.connection()
        let client = try await WireClient.connect(to: server.path)
        let connection = try await accepted
        let error = await #expect(throws: WireError.self) {
            try await client.call(V1.ModelRPC.info, V1.ModelRef(), timeout: .milliseconds(20))
        }
        #expect(error?.code == .deadlineExceeded)
        let none = await #expect(throws: WireError.self) {
            try await client.call(V1.ModelRPC.info, V1.ModelRef(), timeout: .zero)
        }
        #expect(none?.code == .deadlineExceeded)
        // A server that does not even read: there is no room for the request.
        let request = V1.ModelRef(name: String(repeating: "x", count: 3 << 20))
        await withTaskGroup(of: WireError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try await client.call(V1.ModelRPC.info, request, timeout: .milliseconds(20))
                        return nil
                    } catch { return (error as? WireError)?.code }
                }
            }
            for await code in group { #expect(code == .deadlineExceeded) }
        }
        await client.close()
        withExtendedLifetime(connection) {}
    }

    @Test(
        "a stream's deadline is in its message; the earlier of two counts",
        arguments: [
            (timeout: Int64(0), milliseconds: Int64(20)), (3_600_000_000_000, 20), (20_000_000, 3_600_000),
        ])
    func streamDeadline(timeout: Int64, milliseconds: Int64) async throws {
        let sleeper = Sleeper()
        let server = try await TestServer([
            V1.ModelRPC.info.handle { _, context in
                try context.limit(milliseconds: milliseconds)
                #expect(context.deadline != nil)
                try await sleeper.sleep()
                return V1.ModelInfo()
            }
        ])
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Model", "Info", timeoutNano: timeout))
            #expect(try await raw.frame()?.code == .deadlineExceeded)
            await sleeper.wasCancelledIfItBegan()
        }
    }

    @Test("a negative deadline is refused, and the largest one is no trap")
    func strangeDeadlines() async throws {
        let server = try await TestServer([
            V1.ModelRPC.info.handle { request, context in
                try context.limit(milliseconds: Int64(request.name) ?? 0)
                return V1.ModelInfo(name: "in time")
            }
        ])
        try await server.run { server in
            let client = try await server.connect()
            let error = await #expect(throws: WireError.self) {
                try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "-5"))
            }
            #expect(error == WireError(.invalidArgument, "deadline_ms is -5; expected 0 or more"))
            for name in ["0", "\(Int64.max)"] {
                #expect(try await client.call(V1.ModelRPC.info, V1.ModelRef(name: name)).name == "in time")
            }
        }
    }

    @Test("nothing follows the frame that ends a call")
    func lateAnswers() async throws {
        let ended = Signal()
        let refused = Signal()
        let server = try await TestServer([
            V1.ModelRPC.pull.handle { (_: V1.PullModelRequest, answers, context) in
                try context.limit(milliseconds: 10)
                await ended.wait()
                await #expect(throws: WireError.self) { try await answers.send(V1.PullModelEvent()) }
                await #expect(throws: WireError.self) { try answers.sendBlocking(V1.PullModelEvent()) }
                refused.set()
            },
            EchoMethods.unary,
        ])
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Model", "Pull", flags: 1))
            #expect(try await raw.frame()?.code == .deadlineExceeded)
            ended.set()
            await refused.wait()
            try await raw.send(.echo(3, "next"))
            #expect(try await raw.frame()?.echoed == "next")
        }
    }
}

@Suite("Bounds and the end of a server", .timeLimit(.minutes(2))) struct LifecycleTests {
    @Test("past its calls a connection is refused more, and the others go on")
    func streams() async throws {
        var limits = WireServer.Limits()
        limits.streamsPerConnection = 2
        let sleeper = Sleeper()
        try await TestServer([sleeper.unary, EchoMethods.clientStream], limits: limits).run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Audio", "Upload", flags: 2), .echo(3, ""), .echo(5, ""))
            let refusal = try #require(try await raw.frame())
            #expect((refusal.stream, refusal.code) == (5, .resourceExhausted))
            try await raw.send(.data(1, [0x12, 0x01, 0xFF]), .end(1))
            #expect(try await raw.frame()?.response?.payload == V1.UploadedAudio(uploadId: "u", bytes: 1).serialized())
            // There is room again.
            try await raw.send(.request(7, "auscult.v1.Audio", "Upload", flags: 2), .end(7))
            #expect(try await raw.frame()?.code == .ok)
            raw.cut()
        }
    }

    @Test("methods that do not stop when they are cancelled are counted")
    func methodsThatGoOn() async throws {
        var limits = WireServer.Limits()
        limits.streamsPerConnection = 1
        let mayStop = Signal()
        let began = Atomic<Int>(0)
        let server = try await TestServer(
            [
                V1.ModelRPC.info.handle { _, _ in
                    began.add(1, ordering: .relaxed)
                    await mayStop.wait()
                    return V1.ModelInfo()
                }
            ], limits: limits)
        try await server.run { server in
            let raw = try server.rawConnection()
            for i in 0..<4 {
                try await raw.send(.echo(UInt32(2 * i + 1), ""))
                try await eventually { began.load(ordering: .relaxed) == i + 1 }
                for call in server.server.calls { #expect(server.server.cancel(subscription: call.subscriptionID)) }
                #expect(try await raw.frame()?.code == .cancelled)
            }
            try await raw.send(.echo(9, ""))
            #expect(try await raw.frame()?.code == .resourceExhausted)
            mayStop.set()
        }
    }

    @Test("past its connections a server tells the next ones why, and closes them")
    func connections() async throws {
        var limits = WireServer.Limits()
        limits.connections = 2
        // However long the third takes to ask.
        limits.refusal = .seconds(60)
        let opened = Atomic<Int>(0)
        let closed = Atomic<Int>(0)
        var observer = WireServer.Observer()
        observer.connectionOpened = { _ in opened.add(1, ordering: .relaxed) }
        observer.connectionClosed = { _ in closed.add(1, ordering: .relaxed) }
        try await TestServer(limits: limits, observer: observer).run { server in
            let raw = [try server.rawConnection(), try server.rawConnection()]
            for raw in raw {
                try await raw.send(.echo(1, "x"))
                #expect(try await raw.frame()?.echoed == "x")
            }
            let third = try server.rawConnection()
            try await third.send(.echo(1, "x"), .echo(3, "y"))
            let refusal = try #require(try await third.frame())
            #expect((refusal.stream, refusal.code) == (1, .resourceExhausted))
            #expect(refusal.response?.status?.message.contains("2 connections") == true)
            #expect(try await third.frame() == nil)
            raw[0].cut()
            try await eventually { server.server.connectionCount == 1 }
            let fourth = try server.rawConnection()
            try await fourth.send(.echo(1, "z"))
            #expect(try await fourth.frame()?.echoed == "z")
            #expect((opened.load(ordering: .relaxed), closed.load(ordering: .relaxed)) == (3, 1))
            withExtendedLifetime(raw) {}
        }
    }

    @Test("a peer that may not call is told so")
    func anotherUser() async throws {
        let seen = Mutex<Peer?>(nil)
        var limits = WireServer.Limits()
        limits.refusal = .seconds(60)
        let server = try await TestServer(
            limits: limits,
            authorize: { peer in
                seen.withLock { $0 = peer }
                return WireError(.permissionDenied, "user \(peer.uid) may not", reason: "permission_denied")
            })
        try await server.run { server in
            let client = try await server.connect()
            let error = await #expect(throws: WireError.self) {
                try await client.call(V1.ModelRPC.info, V1.ModelRef())
            }
            #expect(
                error == WireError(.permissionDenied, "user \(SystemUser.id) may not", reason: "permission_denied"))
            #expect(seen.withLock { $0?.uid } == SystemUser.id)
            #expect(seen.withLock { $0?.pid } == getpid())
            #expect(server.server.connectionCount == 0)
        }
    }

    @Test("a peer that may not call and does not even ask is closed")
    func silentPeer() async throws {
        var limits = WireServer.Limits()
        limits.refusal = .milliseconds(50)
        let server = try await TestServer(
            limits: limits, authorize: { _ in WireError(.permissionDenied, "nobody may") })
        try await server.run { server in
            let silent = try server.rawConnection()
            #expect(try await silent.frame() == nil)
        }
    }

    @Test("all connections over the bound are closed, those that ask nothing as well, and those within it stay")
    func crowd() async throws {
        var limits = WireServer.Limits()
        limits.connections = 2
        limits.refusal = .milliseconds(50)
        try await TestServer(limits: limits).run { server in
            let raw = [try server.rawConnection(), try server.rawConnection()]
            for raw in raw {
                try await raw.send(.echo(1, "x"))
                #expect(try await raw.frame()?.echoed == "x")
            }
            let over = try (0..<65).map { _ in try server.rawConnection() }
            for silent in over { #expect(try await silent.frame() == nil) }
            for raw in raw {
                try await raw.send(.echo(3, "y"))
                #expect(try await raw.frame()?.echoed == "y")
            }
        }
    }

    @Test("a client that closes its sending side gets answers that are whole, and then the end")
    func halfClosed() async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            for number: UInt32 in 0..<30 { try await raw.send(.echo(2 * number + 1, "\(number)")) }
            raw.endSending()
            var answered: Set<UInt32> = []
            while let frame = try await raw.frame() {
                #expect(frame.echoed == "\(frame.stream / 2)")
                #expect(answered.insert(frame.stream).inserted)
            }
            try await eventually { server.server.connectionCount == 0 }
            #expect(server.server.calls.isEmpty)
        }
    }

    @Test("draining lets calls finish, refuses new ones, ends subscriptions, and takes no connections")
    func drain() async throws {
        let mayFinish = Signal()
        let began = Signal()
        let sleeper = Sleeper()
        let server = try await TestServer([
            V1.ModelRPC.info.handle { request, _ in
                began.set()
                await mayFinish.wait()
                return V1.ModelInfo(name: request.name)
            },
            V1.ModelRPC.list.handle { _, _ in V1.ModelList() },
            V1.ModelRPC.hooks.handle { _, _ in V1.HookList() }.alsoWhileDraining(),
            sleeper.subscription.untilDraining(),
        ])
        let client = try await server.connect()
        var answers = try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest()).makeAsyncIterator()
        _ = try await answers.next()
        async let inFlight = client.call(V1.ModelRPC.info, V1.ModelRef(name: "in flight"))
        await began.wait()
        async let drained = server.server.drain(timeout: .seconds(60))

        let ended = await #expect(throws: WireError.self) { try await answers.next() }
        #expect(ended?.code == .unavailable)
        await sleeper.wasCancelled.wait()
        let refused = await #expect(throws: WireError.self) {
            try await client.call(V1.ModelRPC.list, V1.ListModelsRequest())
        }
        #expect(refused?.code == .unavailable)
        #expect(try await client.call(V1.ModelRPC.hooks, V1.HooksRequest()) == V1.HookList())
        while (try? server.rawConnection()) != nil { try await Task.sleep(for: .milliseconds(5)) }

        mayFinish.set()
        #expect(try await inFlight.name == "in flight")
        #expect(await drained)
        try await eventually { !client.isOpen }
    }

    @Test("past its time, draining cancels what runs, and what does not stop is left behind", arguments: [true, false])
    func drainTimeout(stops: Bool) async throws {
        let sleeper = Sleeper()
        let mayStop = Signal()
        let server = try await TestServer([
            V1.ModelRPC.info.handle { _, _ in
                do { try await sleeper.sleep() } catch {
                    if !stops { await mayStop.wait() }
                    throw error
                }
                return V1.ModelInfo()
            }
        ])
        let client = try await server.connect()
        let call = Task { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
        await sleeper.began.wait()
        let clean = await server.server.drain(timeout: .milliseconds(10))
        #expect(!clean)
        #expect(await #expect(throws: WireError.self) { try await call.value }?.code == .unavailable)
        #expect(sleeper.wasCancelled.isSet)
        mayStop.set()
    }

    @Test("a server drains at once where nothing runs, twice too, and before it listens")
    func idleDrain() async throws {
        let server = try await TestServer()
        #expect(await server.server.drain(timeout: .seconds(60)))
        #expect(await server.server.drain(timeout: .zero))
        await #expect(throws: (any Error).self) { try await server.connect() }
    }
}
