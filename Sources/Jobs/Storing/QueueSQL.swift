/// SQL that stores have in common, where the columns of their tables have the same names.
public enum QueueSQL {
    /// What a job that goes back to the queue loses: assignments of an `UPDATE jobs`.
    public static let cleared = """
        started_at = NULL, frames_done = 0, frames_total = NULL, frames_per_second = 0, lease_owner = NULL,
        lease_token = NULL, lease_expires_at = NULL
        """
}
