import Bench

await BenchProgram.start()
