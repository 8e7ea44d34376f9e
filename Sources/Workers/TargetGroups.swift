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
        let firstTarget: Int
        var session: TrackingSession
        var estimates: Result<[TargetEstimate?], TrackingError> = .success([])

        init(firstTarget: Int, session: TrackingSession) {
            self.firstTarget = firstTarget
            self.session = session
        }

        func process(_ frame: Frame) {
            do throws(TrackingError) {
                estimates = .success(
                    try session.process(gray: frame.gray, color: frame.color, frame: frame.index))
            } catch {
                estimates = .failure(error.offset(by: firstTarget))
            }
        }
    }

    private let groups: [Group]

    /// - Parameter concurrency: where it is more than 1, each target is a group, and Dispatch gives them to as many
    ///   threads as there are cores. Where the whole frame is equalised first there is one group, because each would do
    ///   that again.
    init(_ spec: JobSpec, concurrency: Int) throws(TrackingError) {
        let options = TrackerOptions(spec.tracker)
        let wholeFrame = spec.tracker.illumination == .clahe || spec.tracker.illumination == .gamma
        let count = wholeFrame || concurrency <= 1 ? 1 : spec.targets.count
        var groups: [Group] = []
        for group in 0..<count {
            let targets = spec.targets.count * group / count..<spec.targets.count * (group + 1) / count
            do throws(TrackingError) {
                let session = try TrackingSession(
                    targets: spec.targets[targets].map(TargetRequest.init), options: options)
                groups.append(Group(firstTarget: targets.lowerBound, session: session))
            } catch {
                throw error.offset(by: targets.lowerBound)
            }
        }
        self.groups = groups
    }

    /// Every target's estimate, in the order of the spec.
    func process(_ frame: Frame) throws(TrackingError) -> [TargetEstimate?] {
        if groups.count == 1 {
            groups[0].process(frame)
        } else {
            let groups = groups
            DispatchQueue.concurrentPerform(iterations: groups.count) { groups[$0].process(frame) }
        }
        var estimates: [TargetEstimate?] = []
        for group in groups { estimates += try group.estimates.get() }
        return estimates
    }
}

extension TrackingError {
    /// The same error, its target counted from an earlier one.
    fileprivate func offset(by count: Int) -> TrackingError {
        var error = self
        error.target = target.map { $0 + count }
        return error
    }
}
