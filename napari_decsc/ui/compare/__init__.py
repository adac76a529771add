"""The Compare panel: side by side, curtain, blink, scores band by band."""
