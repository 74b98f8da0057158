import ArgumentParser
import Client
import Foundation
import Messages
import Results
import StrictJSON
import TerminalText

/// `auscult devices`: the sound inputs.
struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List the sound inputs of the daemon's machine.",
        discussion: """
            'auscult listen --device' takes a number, a name, or a part of one name. The default is marked with *. The \
            latency is what the device and its driver say that they hold sound back.
            """)

    @OptionGroup var format: FormatOption
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func run() async throws {
        let devices = try await connection.use(Verbosity.notices) {
            try await $0.call(V1.LiveRPC.devices, V1.ListSoundDevicesRequest()).devices
        }
        switch format.format {
        case .text:
            guard !devices.isEmpty else { return Console.current.error("This machine has no sound input.\n") }
            var table = TextTable("NUMBER", "NAME", "CHANNELS", "RATE", "LATENCY", "THROUGH")
            for device in devices {
                table.append(
                    "\(device.number)\(device.isDefault ? "*" : "")", device.name, "\(device.channels)",
                    "\(Int(device.sampleRate.rounded())) Hz", String(format: "%.1f ms", device.latency * 1000),
                    device.hostApi)
            }
            try Console.current.print(table.text)
        case .json: try Console.current.print(JSON.array(devices.map(\.json)).text)
        }
    }
}

extension V1.SoundDevice {
    fileprivate var json: JSON {
        [
            "number": .integer(Int(number)), "name": .string(name), "host_api": .string(hostApi),
            "channels": .integer(Int(channels)), "sample_rate": .number(sampleRate), "latency": .number(latency),
            "is_default": .bool(isDefault),
        ]
    }
}
