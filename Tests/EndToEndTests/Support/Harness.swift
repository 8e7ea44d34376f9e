// The real server and what it is driven with, which the proofs use too.
@_exported import ServiceHarness
