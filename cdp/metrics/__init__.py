"""What Prometheus reads: counts and ages, from the tables that the platform keeps of itself."""
