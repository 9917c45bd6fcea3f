def secret(name):
    """From Colab's or Kaggle's secrets, else the environment; None where it is in none of them."""
    try:
        from google.colab import userdata
        return userdata.get(name)
    except ImportError:
        pass
    except Exception as error:
        print(f"Colab's Secrets panel does not give {name} ({type(error).__name__}).")
    try:
        from kaggle_secrets import UserSecretsClient
        return UserSecretsClient().get_secret(name)
    except ImportError:
        pass
    except Exception as error:
        print(f"Kaggle's secrets do not give {name} ({type(error).__name__}).")
    return os.environ.get(name)
