import Jobs

/// What a move failed with, as a command's end.
enum MoveFailure {
    static func command(_ error: any Error) -> CommandFailure {
        guard let error = error as? JobsError else { return CommandFailure(.unavailable, "\(error)") }
        let status: ExitStatus =
            switch error.code {
            case .conflict, .storageFull: .cannotCreate
            case .corrupt: .dataError
            default: .unavailable
            }
        return CommandFailure(status, error.message)
    }
}
