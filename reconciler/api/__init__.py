"""How is the reconciler asked over HTTP?

The API and the pages read the store, record what people ask for, and nudge; whoever leads acts on it. Nothing here
plans, deploys or talks to git, so this room never imports `engine`: what needs a rehearsal is handed in (`context`).
"""
