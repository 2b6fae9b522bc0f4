"""What is learnt from votes: label models, classifier, calibration, guarantees. Arrays in, arrays out."""
