"""What does the repository hold, and how do its commits look? The desired side, as far as git goes.

    mirror           a bare mirror of one branch, fetched; a cheap look at the remote head
    addresses        which repositories and branches are accepted; no credential is ever shown
    trouble          why it could not be fetched, and what happens next
    refs             reading a branch of a local repository without starting git
    objects          objects, paths and tree differences over open git processes
    history          the new commits of the branch, and what their merges bring in
    shapes, parsing  the values of all this, and git's own formats
    processes        how git is started
    claims, titles, bodies, reverts    how a commit looks like a revert: pure, by its message
    undoing          how a commit looks like a revert: by its content

What a revert *means* for versions and deployments belongs to the planner; what the files say, to `manifest`.
"""
