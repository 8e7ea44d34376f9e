import Foundation
import Tracking

/// A parameter of mode `robust` that can be halved and doubled.
struct Parameter {
    /// What "twice as much" means.
    private enum Scale {
        case number(WritableKeyPath<RobustTrackerParameters, Double>)
        /// No more than 1.
        case share(WritableKeyPath<RobustTrackerParameters, Double>)
        /// A factor either way: its logarithm is halved and doubled.
        case factor(WritableKeyPath<RobustTrackerParameters, Double>)
        /// At least 1.
        case count(WritableKeyPath<RobustTrackerParameters, Int>)
    }

    let name: String
    private let scale: Scale

    /// What `RobustTrackerParameters` has, but for guards against input that the sequences do not contain: the least
    /// number of cells, energy that makes a picture usable, limits of size, aspect and skew over a whole run.
    static var all: [Parameter] {
        [
            .init(name: "searchSize", scale: .number(\.searchSize)),
            .init(name: "targetSide", scale: .number(\.targetSide)),
            .init(name: "windowSlope", scale: .number(\.windowSlope)),
            .init(name: "maximumMagnification", scale: .number(\.maximumMagnification)),
            .init(name: "orientationGain", scale: .number(\.orientationGain)),
            .init(name: "orientationLimit", scale: .number(\.orientationLimit)),
            .init(name: "orientationFloor", scale: .number(\.orientationFloor)),
            .init(name: "grayWeight", scale: .number(\.grayWeight)),
            .init(name: "colorWeight", scale: .number(\.colorWeight)),
            .init(name: "labelDeviation", scale: .number(\.labelDeviation)),
            .init(name: "minimumLabelDeviation", scale: .number(\.minimumLabelDeviation)),
            .init(name: "filterMemory", scale: .number(\.filterMemory)),
            .init(name: "filterPenalty", scale: .number(\.filterPenalty)),
            .init(name: "filterIterations", scale: .count(\.filterIterations)),
            .init(name: "firstFilterIterations", scale: .count(\.firstFilterIterations)),
            .init(name: "maskSoftness", scale: .number(\.maskSoftness)),
            .init(name: "peakRadius", scale: .count(\.peakRadius)),
            .init(name: "colorShare", scale: .share(\.colorShare)),
            .init(name: "colorInner", scale: .share(\.colorInner)),
            .init(name: "colorRate", scale: .share(\.colorRate)),
            .init(name: "gridSide", scale: .count(\.gridSide)),
            .init(name: "minimumCoarseSide", scale: .number(\.minimumCoarseSide)),
            .init(name: "smoothing", scale: .number(\.smoothing)),
            .init(name: "normalizationRadius", scale: .number(\.normalizationRadius)),
            .init(name: "normalizationFloor", scale: .number(\.normalizationFloor)),
            .init(name: "weightSigma", scale: .number(\.weightSigma)),
            .init(name: "shapeDamping", scale: .number(\.shapeDamping)),
            .init(name: "huberThreshold", scale: .number(\.huberThreshold)),
            .init(name: "regionMargin", scale: .number(\.regionMargin)),
            .init(name: "maximumAlignmentMove", scale: .number(\.maximumAlignmentMove)),
            .init(name: "maximumScaleStep", scale: .factor(\.maximumScaleStep)),
            .init(name: "maximumAspectStep", scale: .factor(\.maximumAspectStep)),
            .init(name: "alignedCorrelation", scale: .share(\.alignedCorrelation)),
            .init(name: "shapeShare", scale: .share(\.shapeShare)),
            .init(name: "correlationRate", scale: .share(\.correlationRate)),
            .init(name: "affineGain", scale: .share(\.affineGain)),
            .init(name: "anchorCorrelation", scale: .share(\.anchorCorrelation)),
            .init(name: "anchorDistance", scale: .number(\.anchorDistance)),
            .init(name: "alignedPositionShare", scale: .share(\.alignedPositionShare)),
            .init(name: "updateCorrelation", scale: .share(\.updateCorrelation)),
            .init(name: "updateRate", scale: .share(\.updateRate)),
            .init(name: "lostShare", scale: .share(\.lostShare)),
            .init(name: "opinionCorrelation", scale: .share(\.opinionCorrelation)),
            .init(name: "learnShare", scale: .share(\.learnShare)),
            .init(name: "warmUp", scale: .number(\.warmUp)),
            .init(name: "exitFrames", scale: .number(\.exitFrames)),
            .init(name: "foundShare", scale: .share(\.foundShare)),
            .init(name: "foundCorrelation", scale: .share(\.foundCorrelation)),
            .init(name: "sureShare", scale: .number(\.sureShare)),
            .init(name: "firstShare", scale: .share(\.firstShare)),
            .init(name: "responseRate", scale: .share(\.responseRate)),
            .init(name: "unusualResponseRate", scale: .share(\.unusualResponseRate)),
            .init(name: "predictedSpeed", scale: .number(\.predictedSpeed)),
            .init(name: "coastingFrames", scale: .count(\.coastingFrames)),
            .init(name: "coastingLeap", scale: .number(\.coastingLeap)),
            .init(name: "velocityDecay", scale: .share(\.velocityDecay)),
            .init(name: "searchStep", scale: .number(\.searchStep)),
            .init(name: "searchGrowth", scale: .count(\.searchGrowth)),
            .init(name: "searchReach", scale: .count(\.searchReach)),
            .init(name: "searchStarts", scale: .count(\.searchStarts)),
        ]
    }

    /// The defaults with this parameter made larger or smaller.
    func scaled(by factor: Double) -> RobustTrackerParameters {
        var parameters = RobustTrackerParameters()
        switch scale {
        case .number(let path): parameters[keyPath: path] *= factor
        case .share(let path): parameters[keyPath: path] = min(parameters[keyPath: path] * factor, 1)
        case .factor(let path): parameters[keyPath: path] = pow(parameters[keyPath: path], factor)
        case .count(let path):
            parameters[keyPath: path] = max(Int((Double(parameters[keyPath: path]) * factor).rounded()), 1)
        }
        return parameters
    }

    /// The value that a set of parameters has for this one.
    func value(in parameters: RobustTrackerParameters) -> Double {
        switch scale {
        case .number(let path), .share(let path), .factor(let path): parameters[keyPath: path]
        case .count(let path): Double(parameters[keyPath: path])
        }
    }
}
