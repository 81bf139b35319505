"""What do people want to know? Questions about the recorded and the desired side, answered by reading alone.

    pictures   one app with everything that is declared, recorded and planned of it
    standings  how each app stands in each environment (`status`)
    chain      from commit and manifest line to what runs (`why`); with the lines themselves in `explaining`
    forecast   what will change without a new commit (`calendar`); its words in `edges` and `cancelling`, as a `feed`
    comparison how do two versions differ, and who changed what? `running`: where does each of them run?
    resolving  which app, environment, version or deployment is meant by what somebody typed?
    sources    at which line is something declared? `differences` for what a deployment changes

Nothing here writes, fetches or decides; the command line and the HTTP API show what comes from here.
"""
