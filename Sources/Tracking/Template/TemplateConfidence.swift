/// Turns what speaks for a pose into the chance that it is right.
struct TemplateConfidence: Sendable {
    mutating func found(_ pose: TemplatePose) -> Double { max(0, min(1, pose.firstCorrelation)) }

    mutating func missed(_ frames: Int) -> Double { 0 }
}
