"""The connectors and tasks of this process: starts their hosts, passes orders down and reports up."""
