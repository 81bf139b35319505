"""What does the repository hold, and how do its commits look? The desired side, as far as git goes.

    mirror              a bare mirror of one branch, fetched; a cheap look at the remote head
    addresses           which repositories and branches are accepted; no credential is ever shown
    refs                reading a branch of a local repository without starting git
    trouble             why it could not be fetched, and what happens next
    objects             objects, paths and tree differences, over open git processes:
    batches, comparing    the two kinds of them
    history             the new commits of the branch, and what their merges bring in
    unpack              the files of a tree onto a disk
    shapes, parsing     the values of all this, and git's own formats
    processes           how git is started
    reverts             how a commit looks like a revert, by its message; pure:
    claims, titles, bodies    what a message can say, and where
    undoing             how a commit looks like a revert, by its content
    trailers            what else a message carries

What a revert *means* for versions and deployments belongs to the planner; what the files say, to `manifest`.
"""
