"""What may a person ask for, and what speaks against it?

    approving    what waits at a gate may enter; checks of a gate are run again
    stopping     a deployment is stopped, or what failed or was stopped is tried again
    pausing      nothing new starts for an app until a moment, or goes on before it
    accepting    a branch that somebody rewrote is followed
    releasing    a hold ends
    going_back   an environment goes back
    reporting    somebody tells of a deployment made elsewhere, and may start it
    expecting    is there still what the person was looking at?
    saying       which reasons and names can be recorded?

Each wish takes a transaction, checks, writes down and marks the app due; what it returns says what was recorded. Who
asks is taken as told: that somebody may ask at all is the faces' business, as is nudging whoever acts.
"""
