import Daemon

await DaemonProgram.main(serve: DaemonProgram.serve)
