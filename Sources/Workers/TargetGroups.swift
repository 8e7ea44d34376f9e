import Dispatch
import Jobs
import LucasKanade
import Media
import Tracking

/// A spec's targets, shared out among sessions that work on the same frame at the same time.
///
/// A target's result does not depend on the targets beside it, so the estimates are the same for any number of groups.
/// Used by one thread at a time.
struct TargetGroups {
    /// One group's session and what it made of the last frame.
    ///
    /// `@unchecked Sendable`: touched by one iteration of `concurrentPerform` at a time, and by nobody else meanwhile.
    private final class Group: @unchecked Sendable {
        /// Indices into the spec's targets.
        let targets: ArraySlice<Int>
        var session: TrackingSession
        var estimates: Result<[TargetEstimate?], TrackingError> = .success([])

        init(targets: ArraySlice<Int>, session: TrackingSession) {
            self.targets = targets
            self.session = session
        }

        func process(_ frame: Frame) {
            do throws(TrackingError) {
                estimates = .success(
                    try session.process(gray: frame.gray, color: frame.color, frame: frame.index))
            } catch {
                estimates = .failure(error.naming(targets))
            }
        }
    }

    private let groups: [Group]
    /// Where one group is followed.
    private let thread: StandingBackThread?

    /// - Parameters:
    ///   - followed: which of the spec's targets.
    ///   - concurrency: where it is more than 1, each target is a group, and Dispatch gives them to as many threads as
    ///     there are cores. Where the whole frame is equalised first there is one group, because each would do that again.
    ///   - niceness: of the thread that follows a single group, beyond the caller's.
    init(_ spec: JobSpec, followed: [Int], concurrency: Int, niceness: Int32) throws(TrackingError) {
        let options = TrackerOptions(spec.tracker)
        let wholeFrame = spec.tracker.illumination == .clahe || spec.tracker.illumination == .gamma
        let count = wholeFrame || concurrency <= 1 ? 1 : followed.count
        var groups: [Group] = []
        for group in 0..<count {
            let targets = followed[followed.count * group / count..<followed.count * (group + 1) / count]
            do throws(TrackingError) {
                let session = try TrackingSession(
                    targets: targets.map { TargetRequest(spec.targets[$0]) }, options: options)
                groups.append(Group(targets: targets, session: session))
            } catch {
                throw error.naming(targets)
            }
        }
        self.groups = groups
        thread = niceness > 0 && groups.count == 1 ? StandingBackThread(niceness: niceness) : nil
    }

    /// The estimate of every target that is followed, in their order.
    func process(_ frame: Frame) throws(TrackingError) -> [TargetEstimate?] {
        let groups = groups
        if groups.count == 1 {
            compute { groups[0].process(frame) }
        } else {
            DispatchQueue.concurrentPerform(iterations: groups.count) { groups[$0].process(frame) }
        }
        var estimates: [TargetEstimate?] = []
        for group in groups { estimates += try group.estimates.get() }
        return estimates
    }

    /// Runs `body` on the thread that stands back, where there is one, and waits for it.
    func compute(_ body: @escaping @Sendable () -> Void) {
        if let thread { thread.run(body) } else { body() }
    }
}

extension TrackingError {
    /// The same error of a session of these targets, its target as the spec counts them.
    fileprivate func naming(_ targets: ArraySlice<Int>) -> TrackingError {
        var error = self
        error.target = target.map { targets[targets.startIndex + $0] }
        return error
    }
}
