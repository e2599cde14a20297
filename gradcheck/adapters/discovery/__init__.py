"""What an object shows when it is run: its parameters, gradients and hidden inputs."""
