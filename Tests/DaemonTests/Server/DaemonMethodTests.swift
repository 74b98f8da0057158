import Daemon
import Foundation
import Kernels
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The daemon about itself", .timeLimit(.minutes(5))) struct DaemonMethodTests {
        private static let services = [
            "auscult.v1.Audio", "auscult.v1.Daemon", "auscult.v1.Job", "auscult.v1.Model", "auscult.v1.Plugin",
            "auscult.v1.Trace", "auscult.v1.Transcribe", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
        ]

        @Test("its status says what is there")
        func status() async throws {
            try await TestDaemon.run(["max_connections": "7", "queue_limit": "5", "idle_exit": "900"]) { daemon in
                let (client, other) = (try await daemon.connect(), try await daemon.connect())
                _ = try await other.status()
                let status = try await client.status()
                #expect(status.pid == UInt32(getpid()) && status.socket == daemon.socket && !status.version.isEmpty)
                #expect(status.connections == 2 && status.connectionLimit == 7)
                #expect(status.queueLimit == 5 && status.queueLength == 0 && status.jobsRunning == 0)
                #expect(status.idleExitSeconds == 900 && status.dataFolder == daemon.folder("data"))
                #expect(!status.draining && status.memoryBytes > 1 << 20 && status.uptimeSeconds > 0)
                #expect(status.models.map(\.name) == ["default"])
                let call = try #require(status.calls.first)
                #expect(call.method == "auscult.v1.Daemon/Status" && call.peerPid == UInt32(getpid()))
                await client.close()
                await other.close()
            }
        }

        @Test("its status and its metrics say what computes")
        func kernels() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let kernels = try #require(try await client.status().kernels)
                #expect(kernels.implementation == KernelImplementation.current.rawValue)
                #expect(kernels.products == (KernelImplementation.current.hasPanels ? "own" : kernels.products))
                let blas = BLASLibrary.description
                #expect(kernels.blasVersion == blas.version && kernels.blasCore == blas.core && !blas.core.isEmpty)
                #expect(kernels.warnings == [KernelImplementation.refusedSetting, blas.notice].compactMap { $0 })
                let text = try await client.call(V1.DaemonRPC.metrics, V1.MetricsRequest()).text
                let series = "auscult_kernels{blas_core=\"\(blas.core)\",blas_version=\"\(blas.version)\","
                #expect(text.contains(series + "implementation=\"\(kernels.implementation)\"} 1\n"))
                #expect(try await client.metric("auscult_kernel_warnings") == Double(kernels.warnings.count))
                await client.close()
            }
        }

        private static let hasAVX2 = KernelImplementation.avx2.isAvailable

        @Test(
            "kernels of OpenBLAS's for another processor, and a setting that cannot be followed, are told",
            .enabled(if: hasAVX2, "this processor has no AVX2: every choice of OpenBLAS's fits it"))
        func kernelWarnings() async throws {
            let daemon = try await ChildDaemon(
                environment: ["OPENBLAS_CORETYPE": "Prescott", "AUSCULT_KERNELS": "avx1024"]
            ).ready()
            let kernels = try #require(
                try await callOnce(at: daemon.socket, V1.DaemonRPC.status, V1.StatusRequest()).kernels)
            #expect(kernels.blasCore == "Prescott")
            #expect(kernels.implementation == KernelImplementation.best.rawValue)
            let warnings = kernels.warnings
            #expect(warnings.count == 2)
            #expect(warnings.first?.contains("AUSCULT_KERNELS is 'avx1024'; it can be reference, blas") == true)
            #expect(warnings.last?.contains("the kernels of Prescott, with SSE alone") == true)
            #expect(warnings.last?.contains("OPENBLAS_CORETYPE is 'Prescott'") == true)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            // The log is written by a thread of its own, and whole at the end.
            for warning in warnings { #expect(daemon.log.contains(warning), "\(daemon.log)") }
        }

        @Test(
            "a choice of OpenBLAS's that fits is not warned of", .enabled(if: hasAVX2, "this processor has no AVX2"))
        func noKernelWarnings() async throws {
            let daemon = try await ChildDaemon(environment: ["OPENBLAS_CORETYPE": "", "AUSCULT_KERNELS": "blas"])
                .ready()
            let kernels = try #require(
                try await callOnce(at: daemon.socket, V1.DaemonRPC.status, V1.StatusRequest()).kernels)
            #expect(kernels.implementation == "blas" && kernels.products == "OpenBLAS" && kernels.warnings.isEmpty)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        @Test("its metrics count what was asked, by method and code")
        func metrics() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                _ = try await client.status()
                await expectFailure(.notFound, "not_found") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "nothing"))
                }
                let text = try await client.call(V1.DaemonRPC.metrics, V1.MetricsRequest()).text
                #expect(text.hasSuffix("# EOF\n"))
                #expect(text.contains("auscult_calls_total{code=\"OK\",method=\"auscult.v1.Daemon/Status\"} 1\n"))
                #expect(text.contains("auscult_calls_total{code=\"NOT_FOUND\",method=\"auscult.v1.Model/Info\"} 1\n"))
                #expect(try await client.metric("auscult_connections") == 1)
                #expect(try await client.metric("auscult_model_memory_bytes") ?? 0 > 0)
                await client.close()
            }
        }

        @Test("every service is healthy, one that is not there is NOT_FOUND to Check and SERVICE_UNKNOWN to Watch")
        func health() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                for service in Self.services + [""] {
                    let request = Health.HealthCheckRequest(service: service)
                    #expect(try await client.call(Health.HealthRPC.check, request).status == .serving)
                }
                let unknown = Health.HealthCheckRequest(service: "auscult.v1.Nothing")
                await expectFailure(.notFound, "not_found", naming: "auscult.v1.Nothing") {
                    try await client.call(Health.HealthRPC.check, unknown)
                }
                var watch = try await client.stream(Health.HealthRPC.watch, unknown).makeAsyncIterator()
                #expect(try await watch.next()?.status == .serviceUnknown)
                await client.close()
            }
        }

        @Test("a watcher of its health is told when it stops; then its stream ends, and new calls are UNAVAILABLE")
        func draining() async throws {
            let daemon = try await TestDaemon()
            let (client, worker) = (try await daemon.connect(), try await daemon.connect())
            var watch = try await client.stream(Health.HealthRPC.watch, Health.HealthCheckRequest()).makeAsyncIterator()
            #expect(try await watch.next()?.status == .serving)
            // Something that runs holds the end up.
            let request = try Sound.longTrace(seconds: 150, in: daemon.folder, to: "t.safetensors")
            async let work = worker.call(V1.TraceRPC.runToEnd, request)
            try await eventually("it runs") {
                try await client.status().calls.contains { $0.method == "auscult.v1.Trace/RunToEnd" }
            }
            async let stopped: Void = daemon.server.waitUntilStopped()
            _ = try await client.call(V1.DaemonRPC.stop, V1.StopRequest())
            await expectFailure(.unavailable, "unavailable") {
                while let next = try await watch.next() { #expect(next.status == .notServing) }
            }
            await expectFailure(.unavailable, "unavailable", naming: "stopping") {
                try await client.call(V1.ModelRPC.list, V1.ListModelsRequest())
            }
            #expect(try await client.status().draining)
            #expect(try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest()).status == .notServing)
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
            // Its place is free for another, while what runs is finished.
            let successor = try await TestDaemon(in: daemon.folder)
            #expect(!FileManager.default.fileExists(atPath: daemon.folder("t.safetensors")), "the other still works")
            #expect(try await successor.call(V1.DaemonRPC.status, V1.StatusRequest()).draining == false)
            #expect(try await work.outputFile == daemon.folder("t.safetensors"))
            await stopped
            try await eventually("its connections are closed") { !client.isOpen }
            let memory = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
            let late = try await successor.connect()
            #expect(try await Traced(ending: memory, late).isSealed)
            await late.close()
            await successor.server.stop()
            #expect(try FileManager.default.contentsOfDirectory(atPath: daemon.folder("d")) == ["s.sock.lock"])
        }

        @Test("Stop with a time of its own cancels what takes longer")
        func stopSoon() async throws {
            let daemon = try await TestDaemon()
            let client = try await daemon.connect()
            let request = try Sound.longTrace(seconds: 590, in: daemon.folder, to: "t.safetensors")
            let stopped = Task { await daemon.server.waitUntilStopped() }
            let work = Task { try await client.call(V1.TraceRPC.runToEnd, request) }
            try await eventually("it runs") { try await client.metric("auscult_engine_running") == 1 }
            _ = try await client.call(V1.DaemonRPC.stop, V1.StopRequest(drainMs: 50))
            await expectFailure(.unavailable, "unavailable") { try await work.value }
            await stopped.value
            #expect(try daemon.folder.names() == ["590.wav", "d"])
        }

        @Test("reflection lists the services and gives their descriptors with all imports")
        func reflection() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let call = try await client.open(Reflection.ServerReflectionRPC.serverReflectionInfo)
                var answers = call.answers.makeAsyncIterator()
                func ask(_ request: Reflection.ServerReflectionRequest.MessageRequest?) async throws
                    -> Reflection.ServerReflectionResponse
                {
                    try await call.send(Reflection.ServerReflectionRequest(host: "h", messageRequest: request))
                    return try #require(try await answers.next())
                }
                guard case .listServicesResponse(let list)? = try await ask(.listServices("")).messageResponse else {
                    Issue.record("no list")
                    return
                }
                #expect(Set(list.service.map(\.name)).isSuperset(of: Self.services))
                for request in [
                    Reflection.ServerReflectionRequest.MessageRequest.fileContainingSymbol("auscult.v1.Trace.Run"),
                    .fileByFilename("auscult/v1/trace.proto"),
                ] {
                    let answer = try await ask(request)
                    guard case .fileDescriptorResponse(let files)? = answer.messageResponse else {
                        Issue.record("\(answer)")
                        return
                    }
                    #expect(answer.validHost == "h" && answer.originalRequest?.messageRequest == request)
                    #expect(files.fileDescriptorProto.count >= 3)
                }
                for request in [
                    Reflection.ServerReflectionRequest.MessageRequest.fileContainingSymbol("no.Such"),
                    .fileByFilename("no.proto"),
                ] {
                    guard case .errorResponse(let error)? = try await ask(request).messageResponse else {
                        Issue.record("no error")
                        return
                    }
                    #expect(error.errorCode == WireError.Code.notFound.rawValue && error.errorMessage.contains("no."))
                }
                guard case .errorResponse(let nothing)? = try await ask(nil).messageResponse else {
                    Issue.record("no error")
                    return
                }
                #expect(nothing.errorCode == WireError.Code.invalidArgument.rawValue)
                try await call.finish()
                #expect(try await answers.next() == nil)
                await client.close()
            }
        }

        @Test("of plugins there are those that are there, and of others NOT_FOUND with the id")
        func plugins() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let plugins = try await client.call(V1.PluginRPC.list, V1.ListPluginsRequest()).plugins
                for plugin in plugins where plugin.problem.isEmpty {
                    let found = try await client.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: plugin.id))
                    #expect(found.listing == plugin)
                }
                await expectFailure(.notFound, "not_found", naming: "org.example.none") {
                    try await client.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: "org.example.none"))
                }
                await expectFailure(.notFound, "not_found", naming: "org.example.none") {
                    for try await _ in try await client.stream(
                        V1.PluginRPC.run, V1.RunPluginRequest(pluginId: "org.example.none"))
                    {}
                }
                await client.close()
            }
        }

        @Test("a start that fails leaves nothing, and the place can be used")
        func failedStart() async throws {
            let folder = try TemporaryFolder()
            await #expect(throws: ServiceError.self) { _ = try await TestDaemon(["models": "nothing"], in: folder) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder("d")) == ["s.sock.lock"])
            // A second daemon in this process would have to wait for the first one's lock.
            let daemon = try await TestDaemon(in: folder)
            let error = await #expect(throws: (any Error).self) { _ = try await TestDaemon(in: folder) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("another auscultd (pid \(getpid()))"))
            #expect(try await daemon.call(V1.DaemonRPC.status, V1.StatusRequest()).connections == 1)
            await daemon.server.stop()
        }
    }
}
