"""Recognition: engines that turn stretches of speech into words, and the worker that all calls share."""
