import AtlasPage
import Client
import Files
import Messages
import Wire

/// Sounds of an atlas' recordings, made by the daemon.
///
/// Each is a connection of its own: a page stays open longer than a daemon that has nothing to do, and the next sound
/// starts one again.
struct AtlasSounds {
    private let connection: ConnectionOptions
    private let console: Console

    init(_ connection: ConnectionOptions) {
        self.connection = connection
        console = Console.current
    }

    var maker: PageSoundMaker {
        get throws {
            // The socket's path is looked at here, where a wrong one still ends the command.
            let path = try connection.path
            let launcher = connection.noStart ? nil : DaemonLauncher(environment: console.environment)
            return { sound in
                do {
                    let daemon = try await DaemonConnection.open(
                        at: path, launcher: launcher, logger: Verbosity.notices)
                    do {
                        let file = try await daemon.call(V1.AudioRPC.excerpt, Self.request(sound))
                        await daemon.close()
                        return file.data
                    } catch {
                        await daemon.close()
                        throw error
                    }
                } catch let error as WireError {
                    throw PageSoundFailure(error.message, isMissing: error.code == .notFound)
                } catch let error as CommandError {
                    throw PageSoundFailure(error.message, isMissing: false)
                }
            }
        }
    }

    private static func request(_ sound: PageSound) -> V1.ExcerptRequest {
        let source: V1.AudioSource.Source =
            sound.path.hasPrefix("demo:") ? .clip(String(sound.path.dropFirst("demo:".count))) : .path(sound.path)
        let whole = sound.recordingStart == nil && sound.recordingEnd == nil
        return V1.ExcerptRequest(
            audio: V1.AudioSource(
                source: source, span: whole ? nil : V1.Span(start: sound.recordingStart ?? 0, end: sound.recordingEnd)),
            span: V1.Span(start: sound.start, end: sound.end), format: sound.format == .flac ? .flac : .wav)
    }
}
