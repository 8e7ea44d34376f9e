/// What queues keep to, whatever stores them.
public enum QueueLimits {
    /// A job whose lease ran out this often fails for good with ``JobFailure/Code/workerLost``.
    public static let attempts = 3
}
