"""What does a person type? One file a verb, each imported only when it is asked for.

    main       the program: which verbs there are, and how it ends
    asking     options and arguments that verbs share
    printing   text on a terminal, text in a pipe, JSON
    opened     the store and the settings behind a verb

A verb asks and shows; what it shows comes from the rooms below.
"""
