/// Turns what speaks for a pose into the chance that it is right.
enum TemplateConfidence {
    static func confidence(of pose: TemplatePose) -> Double { max(0, min(1, pose.firstCorrelation)) }
}
