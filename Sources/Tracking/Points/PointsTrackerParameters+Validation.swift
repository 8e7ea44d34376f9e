extension PointsTrackerParameters {
    /// - Throws: ``TrackingError/Code/invalidOption`` naming the parameter that is out of its range.
    func validate() throws(TrackingError) {
        try ParameterRange.check([
            .init("points.window", window, 3...127),
            .init("points.gridSide", gridSide, 1...64),
            .init("points.maximumForwardBackwardError", maximumForwardBackwardError, 0...1e6),
            .init("points.minimumEigenvalue", minimumEigenvalue, 1e-9...1e6),
            .init("points.inlierDistance", inlierDistance, 0...1e6),
            .init("points.inlierShare", inlierShare, 0...10),
            .init("points.hypotheses", hypotheses, 1...10000),
            .init("points.baseline", baseline, 0...10),
            .init("points.minimumSpread", minimumSpread, 0...10),
            .init("points.similarityPoints", similarityPoints, 2...4096),
            .init("points.affinePoints", affinePoints, 3...4096),
            .init("points.maximumScaleStep", maximumScaleStep, 1...10),
            .init("points.maximumScale", maximumScale, 1...1000),
            .init("points.maximumArea", maximumArea, 0.1...3.9),
            .init("points.maximumAspect", maximumAspect, 1...100),
            .init("points.maximumSkew", maximumSkew, 0...1),
            .init("points.minimumShare", minimumShare, 0...1),
            .init("points.minimumAgreement", minimumAgreement, 0...1),
        ])
    }
}
