"""How does a person's choice become a commit on a branch, with everything checked before anything is written?

    scratch      where commits are read and made that the daemon has not fetched, and thrown away afterwards
    workplaces   in which repository a branch is put, and where it is pushed to
    writing      the desk: the newest commit, noted in a rehearsal
    committing   who makes a commit, in which words, on which branch
    choosing     which version is meant, and what speaks against it
    promoting    an environment is to run a version; `taking_back` where it went back, `pausing` a pause
    reports      what is to be said of a commit that was written, or would be
    asking       the same for whoever has no command line

Nothing here prints, and nothing here carries anything out: what a commit does is told by a rehearsal.
"""
