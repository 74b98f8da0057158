import Messages
import PluginHost

extension PluginListing {
    init(_ message: V1.PluginListing) {
        self.init(
            id: message.id, name: message.name, version: message.version, vendor: message.vendor,
            licence: message.licence, path: message.path, problem: message.problem)
    }
}

extension V1.PluginListing {
    init(_ listing: PluginListing) {
        self.init(
            id: listing.id, name: listing.name, version: listing.version, vendor: listing.vendor,
            licence: listing.licence, path: listing.path, problem: listing.problem)
    }
}

extension PluginDescription {
    init(_ message: V1.PluginDescription) {
        let needs = message.needs ?? V1.PluginNeeds()
        self.init(
            listing: PluginListing(message.listing ?? V1.PluginListing()), text: message.description,
            needs: Needs(
                hooks: needs.hooks, objective: needs.gradients ? needs.objective : nil, allFrames: needs.allFrames,
                audio: needs.audio, decoder: needs.decoder, labels: needs.labels, oneRun: needs.oneRun,
                canStream: needs.canStream),
            parameters: message.parameters.map(PluginParameter.init), outputs: message.outputs.map(PluginOutput.init),
            permissions: DeclaredPermissions(message.permissions))
    }
}

extension V1.PluginDescription {
    init(_ description: PluginDescription) {
        let needs = description.needs
        self.init(
            listing: V1.PluginListing(description.listing), description: description.text,
            needs: V1.PluginNeeds(
                hooks: needs.hooks, gradients: needs.objective != nil, objective: needs.objective ?? "",
                allFrames: needs.allFrames, audio: needs.audio, decoder: needs.decoder, labels: needs.labels,
                oneRun: needs.oneRun, canStream: needs.canStream),
            parameters: description.parameters.map(V1.PluginParameter.init),
            outputs: description.outputs.map(V1.PluginOutput.init), permissions: description.permissions.message)
    }
}

extension PluginParameter {
    init(_ message: V1.PluginParameter) {
        self.init(
            id: message.id, kind: Kind(rawValue: message.kind), default: message.default, minimum: message.minimum,
            maximum: message.maximum, choices: message.choices, text: message.description)
    }
}

extension V1.PluginParameter {
    init(_ parameter: PluginParameter) {
        self.init(
            id: parameter.id, kind: parameter.kind.rawValue, default: parameter.default, minimum: parameter.minimum,
            maximum: parameter.maximum, choices: parameter.choices, description: parameter.text)
    }
}

extension PluginOutput {
    init(_ message: V1.PluginOutput) {
        self.init(
            id: message.id, title: message.title, unit: message.unit, kind: Kind(rawValue: message.kind.name),
            axes: message.axes.map(PluginAxis.init), plot: Plot(rawValue: message.plot.name), text: message.description)
    }
}

extension V1.PluginOutput {
    init(_ output: PluginOutput) {
        self.init(
            id: output.id, title: output.title, unit: output.unit,
            kind: output.kind.flatMap { V1.ResultKind(name: $0.rawValue) } ?? .resultKindUnspecified,
            axes: output.axes.map(V1.ResultAxis.init),
            plot: output.plot.flatMap { V1.PlotHint(name: $0.rawValue) } ?? .plotHintUnspecified,
            description: output.text)
    }
}

extension PluginAxis {
    init(_ message: V1.ResultAxis) {
        self.init(
            name: message.name, unit: message.unit, labels: message.labels, first: message.first, step: message.step)
    }
}

extension V1.ResultAxis {
    init(_ axis: PluginAxis) {
        self.init(name: axis.name, unit: axis.unit, labels: axis.labels, first: axis.first, step: axis.step)
    }
}

extension PluginLog {
    init(_ message: V1.PluginLog) { self.init(level: message.level, message: message.message) }
}

extension V1.PluginLog {
    init(_ log: PluginLog) { self.init(level: log.level, message: log.message) }
}
