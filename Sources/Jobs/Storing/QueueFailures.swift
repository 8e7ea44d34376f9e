extension JobFailure {
    /// What a job fails with that took its workers down, one after another.
    public static let workerLost = JobFailure(
        code: .workerLost,
        message: "the worker was lost \(QueueLimits.attempts) times while it ran this job; it will not be tried again")

    /// What a job fails with whose deadline passes while it is queued.
    public static let deadlineExceededInQueue = JobFailure(
        code: .deadlineExceeded, message: "deadline_seconds passed since the job was submitted, while it was queued")
}
