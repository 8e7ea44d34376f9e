import Logging
import Media

/// The decoder processes of this service.
enum Decoders {
    /// This program as a decoder that may do without what the system refuses; the log says what that is. One is kept
    /// ready once the service runs.
    static func command(_ log: Logger) throws(CommandFailure) -> DecoderCommand {
        var command = DecoderCommand.current
        do {
            command.tolerated = try command.refusedRestrictions()
        } catch {
            throw CommandFailure(.unavailable, error.message)
        }
        if !command.tolerated.isEmpty {
            log.warning(
                "this system refuses to restrict decoder processes in every way; they work without",
                metadata: ["refused": .array(command.tolerated.names.map { .string($0) })])
        }
        command.reserve = DecoderReserve()
        return command
    }
}
