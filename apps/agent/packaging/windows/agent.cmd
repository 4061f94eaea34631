@rem Runs the agent in this console and waits for it: its executable has none of its own.
@"%~dp0lynceus-agent.exe" %*
