class Sending(threading.Thread):
    """One attempt to send a line. Whoever waits for it gives up after its limit; it cannot be ended from outside."""

    def __init__(self, send, line, patience):
        super().__init__(daemon=True)
        self.send, self.line, self.patience = send, line, patience
        self.until, self.problem = time.monotonic() + 2 * patience + 2, "it does not answer"
        self.start()

    def run(self):
        try:
            self.send(self.line, self.patience)
            self.problem = None
        except Exception as error:
            self.problem = (str(error) or type(error).__name__)[:200]


class Channel:
    """One way by which news goes out. A slow one holds up nobody: each has its own attempts and its own pauses."""

    # How many attempts may hang at once.
    MOST = 3

    def __init__(self, name, send):
        self.name, self.send = name, send
        self.owed = self.line = self.sending = self.problem = None
        self.answered, self.failures, self.due, self.hanging = False, 0, 0.0, []

    def offer(self, kind, line):
        """Takes news, in place of what was not sent yet."""
        self.owed, self.line, self.answered = kind, line, False
        if kind == "up":
            self.due = 0.0

    def mind(self, now):
        """Sees what became of the attempt that runs, and begins the one that is due; whether there is an answer."""
        heard = False
        if self.sending and (not self.sending.is_alive() or now > self.sending.until):
            heard = self.take_answer(now)
        self.hanging = [sending for sending in self.hanging if sending.is_alive()]
        if self.line and not self.sending and now >= self.due and len(self.hanging) < self.MOST:
            self.sending = Sending(self.send, self.line, 15)
        return heard

    def take_answer(self, now):
        sending, self.sending = self.sending, None
        if sending.is_alive():
            self.hanging.append(sending)
        current, problem = sending.line == self.line, sending.problem
        if problem:
            self.failures += 1
            self.due = now + min(5 * 2 ** min(self.failures, 6), 300)
        else:
            self.failures = 0
        if current:
            self.answered, self.problem = True, problem
            if not problem:
                self.owed = self.line = None
        return current
