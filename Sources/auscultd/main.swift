import Daemon

await DaemonProgram.main { _ in
    throw ServiceError(.unavailable, "this build of auscultd has no service on its socket yet")
}
